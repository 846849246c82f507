#include "proxy/head_scanner.hpp"

namespace penstock::proxy {
namespace {

constexpr std::size_t max_empty_lines = 4; // in front of a request line (RFC 9112 section 2.2 asks for at least one)

// A start line begins with a token (request) or "HTTP" (response): an upper- or lower-case letter or another tchar.
bool can_begin_head(char c) noexcept
{
    if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) return true;
    return std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

} // namespace

head_scanner::progress head_scanner::scan(std::string_view bytes) noexcept
{
    auto const failed = [](head_problem why) { return progress{0, 0, why}; };
    for (;;) {
        auto const rest = bytes.substr(line_);
        if (lines_ == 0 && !rest.empty() && rest.front() != '\r' && rest.front() != '\n' && !can_begin_head(rest.front()))
            return failed(head_problem::malformed);

        auto const limit = lines_ == 0 ? limits_->start_line : limits_->field;
        auto const lf = rest.find('\n');
        auto const length = lf == std::string_view::npos ? rest.size() : lf + 1;
        if (length > limit + 2) return failed(lines_ == 0 ? head_problem::target_too_long : head_problem::fields_too_large);
        if (lines_ != 0 && line_ + length - fields_at_ > limits_->fields + 2) return failed(head_problem::fields_too_large);
        if (lf == std::string_view::npos) return {};
        if (lf == 0 || rest[lf - 1] != '\r') return failed(head_problem::malformed);

        line_ += length;
        if (length > 2) {
            if (lines_++ == 0)
                fields_at_ = line_;
            else if (lines_ - 1 > limits_->field_count)
                return failed(head_problem::fields_too_large);
        } else if (lines_ != 0) {
            return {line_ - skip_, skip_, head_problem::none};
        } else {
            skip_ = line_;
            if (skip_ > 2 * max_empty_lines) return failed(head_problem::malformed);
        }
    }
}

} // namespace penstock::proxy
