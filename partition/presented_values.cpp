#include "partition/presented_values.hpp"

#include "base/field_name.hpp"

#include <algorithm>
#include <optional>

namespace penstock::partition {
namespace {

constexpr int hex_value(char c) noexcept
{
    if (c >= '0' && c <= '9') return c - '0';
    auto const lower = base::ascii_lower(c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

enum class plus : std::uint8_t { is_plus, is_space };

// Reads text one decoded byte at a time. A `%` that begins no escape stands for itself, as most applications read it.
class decoder {
public:
    decoder(std::string_view text, plus reading) noexcept : rest_(text), plus_(reading) {}

    std::optional<char> next() noexcept
    {
        if (rest_.empty()) return std::nullopt;
        char c = rest_.front();
        std::size_t taken = 1;
        if (c == '%' && rest_.size() >= 3 && hex_value(rest_[1]) >= 0 && hex_value(rest_[2]) >= 0) {
            c = static_cast<char>(hex_value(rest_[1]) << 4 | hex_value(rest_[2]));
            taken = 3;
        } else if (c == '+' && plus_ == plus::is_space) {
            c = ' ';
        }
        rest_.remove_prefix(taken);
        return c;
    }

private:
    std::string_view rest_;
    plus plus_;
};

bool decodes_to(std::string_view text, std::string_view expected) noexcept
{
    decoder bytes{text, plus::is_space};
    for (char const wanted : expected)
        if (bytes.next() != wanted) return false;
    return !bytes.next();
}

void write_decoded(identity_writer& out, std::string_view text, plus reading) noexcept
{
    if (text.find('%') == std::string_view::npos && (reading == plus::is_plus || text.find('+') == std::string_view::npos)) {
        out.value(text);
        return;
    }
    decoder bytes{text, reading};
    while (auto const c = bytes.next()) out.value({&*c, 1});
}

// Cuts the part in front of `separator` off `text`.
std::string_view take_until(std::string_view& text, char separator) noexcept
{
    auto const at = text.find(separator);
    auto const part = text.substr(0, at);
    text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
    return part;
}

std::string_view without_quotes(std::string_view value) noexcept
{
    bool const quoted = value.size() >= 2 && value.front() == '"' && value.back() == '"';
    return quoted ? value.substr(1, value.size() - 2) : value;
}

} // namespace

bool write_field_values(identity_writer& out, base::request_facts const& facts, std::string_view name) noexcept
{
    bool any = false;
    for (auto const& line : facts.fields) {
        if (line.value.empty() || !base::is_field(line.name, name)) continue;
        if (any) out.value(",");
        out.value(line.value);
        any = true;
    }
    return any;
}

bool write_cookie_values(identity_writer& out, base::request_facts const& facts, std::string_view name) noexcept
{
    bool any = false;
    for (auto const& line : facts.fields) {
        if (!base::is_field(line.name, "cookie")) continue;
        for (auto rest = line.value; !rest.empty();) {
            auto pair = take_until(rest, ';');
            if (base::trim_ows(take_until(pair, '=')) != name) continue;
            auto const value = without_quotes(base::trim_ows(pair));
            if (value.empty()) continue;
            if (any) out.separator(';');
            out.value(value);
            any = true;
        }
    }
    return any;
}

bool write_query_values(identity_writer& out, base::request_facts const& facts, std::string_view name) noexcept
{
    bool any = false;
    for (auto rest = facts.query; !rest.empty();) {
        auto value = take_until(rest, '&');
        if (!decodes_to(take_until(value, '='), name) || value.empty()) continue;
        if (any) out.separator('&');
        write_decoded(out, value, plus::is_space);
        any = true;
    }
    return any;
}

bool write_path_value(identity_writer& out, std::string_view path) noexcept
{
    write_decoded(out, path, plus::is_plus);
    return !path.empty();
}

bool may_be_credential(std::string_view name) noexcept
{
    static constexpr std::string_view words[] = {"auth", "bearer", "cookie", "credential", "jwt", "key",  "pass",
                                                 "pwd",  "secret", "sess",   "sid",        "sig", "token"};
    for (; !name.empty(); name.remove_prefix(1)) {
        auto const first = base::ascii_lower(name.front());
        for (auto const word : words)
            if (word.front() == first && base::is_field(name.substr(0, word.size()), word)) return true;
    }
    return false;
}

} // namespace penstock::partition
