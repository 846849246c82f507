#include "proxy/chunk_decoder.hpp"

#include <charconv>

namespace penstock::proxy {
namespace {

constexpr std::size_t most_size_digits = 15; // a chunk below 2^60 bytes

bool is_token_char(char c) noexcept
{
    if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) return true;
    return std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool is_text_char(char c) noexcept { return c == '\t' || (c >= ' ' && c != 0x7f) || static_cast<unsigned char>(c) >= 0x80; }

void skip_blanks(std::string_view& text) noexcept
{
    while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
}

bool take_token(std::string_view& text) noexcept
{
    std::size_t n = 0;
    while (n < text.size() && is_token_char(text[n])) ++n;
    text.remove_prefix(n);
    return n != 0;
}

bool take_quoted(std::string_view& text) noexcept
{
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '"') {
            text.remove_prefix(i + 1);
            return true;
        }
        if (text[i] == '\\') ++i; // the next one stands for itself
        if (i == text.size() || !is_text_char(text[i])) return false;
    }
    return false;
}

// *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] )
bool are_extensions(std::string_view text) noexcept
{
    while (!text.empty()) {
        skip_blanks(text);
        if (!text.starts_with(';')) return false;
        text.remove_prefix(1);
        skip_blanks(text);
        if (!take_token(text)) return false;
        auto rest = text;
        skip_blanks(rest);
        if (!rest.starts_with('=')) continue;
        text = rest.substr(1);
        skip_blanks(text);
        if (text.starts_with('"') ? !take_quoted(text) : !take_token(text)) return false;
    }
    return true;
}

bool parse_size_line(std::string_view line, std::uint64_t& size) noexcept
{
    auto const end = line.find_first_not_of("0123456789abcdefABCDEF");
    auto const digits = line.substr(0, end);
    if (digits.empty() || digits.size() > most_size_digits) return false;
    std::from_chars(digits.data(), digits.data() + digits.size(), size, 16);
    return are_extensions(line.substr(digits.size()));
}

// A trailer is a field line; its name and value are of no further interest (H1-50).
bool is_field_line(std::string_view line) noexcept
{
    if (!take_token(line) || !line.starts_with(':')) return false;
    for (auto const c : line) {
        if (!is_text_char(c)) return false;
    }
    return true;
}

// The next line without its CRLF.
struct line_found {
    enum class what : std::uint8_t { whole, incomplete, broken };
    what state = what::incomplete;
    std::string_view text;
};

line_found find_line(std::string_view bytes) noexcept
{
    auto const lf = bytes.find('\n');
    auto const seen = bytes.substr(0, lf);
    if (seen.size() > chunk_decoder::longest_line) return {line_found::what::broken, {}};
    if (lf == std::string_view::npos) {
        // A CR that nothing but a line feed may follow.
        auto const cr = seen.find('\r');
        return {cr != std::string_view::npos && cr + 1 < seen.size() ? line_found::what::broken : line_found::what::incomplete,
                {}};
    }
    if (!seen.ends_with('\r') || seen.find('\r') + 1 != seen.size()) return {line_found::what::broken, {}};
    return {line_found::what::whole, seen.substr(0, seen.size() - 1)};
}

} // namespace

chunk_decoder::step chunk_decoder::next(std::string_view bytes) noexcept
{
    std::size_t used = 0;
    while (expects_ != part::nothing) {
        auto const rest = bytes.substr(used);
        if (expects_ == part::content) {
            if (rest.empty()) return {state::need_more, {}, used};
            auto const content = rest.substr(0, static_cast<std::size_t>(left_ < rest.size() ? left_ : rest.size()));
            left_ -= content.size();
            if (left_ == 0) expects_ = part::content_end;
            return {state::piece, content, used + content.size()};
        }
        auto const line = find_line(rest);
        if (line.state == line_found::what::incomplete) return {state::need_more, {}, used};
        if (line.state == line_found::what::broken) return {state::broken, {}, used};
        used += line.text.size() + 2;
        switch (expects_) {
        case part::size_line:
            if (!parse_size_line(line.text, left_)) return {state::broken, {}, used};
            expects_ = left_ == 0 ? part::trailer : part::content;
            break;
        case part::content_end:
            if (!line.text.empty()) return {state::broken, {}, used};
            expects_ = part::size_line;
            break;
        case part::trailer:
            trailer_bytes_ += line.text.size() + 2;
            if (line.text.empty())
                expects_ = part::nothing;
            else if (trailer_bytes_ > most_trailer_bytes || !is_field_line(line.text))
                return {state::broken, {}, used};
            break;
        case part::content:
        case part::nothing: break;
        }
    }
    return {state::done, {}, used};
}

} // namespace penstock::proxy
