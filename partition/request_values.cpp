#include "partition/request_values.hpp"

#include "base/field_name.hpp"

namespace penstock::partition {
namespace {

constexpr int hex_value(char c) noexcept
{
    if (c >= '0' && c <= '9') return c - '0';
    auto const lower = base::ascii_lower(c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
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

std::optional<char> decoder::next() noexcept
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

bool needs_decoding(std::string_view text, plus reading) noexcept
{
    return text.find('%') != std::string_view::npos || (reading == plus::is_space && text.find('+') != std::string_view::npos);
}

bool is_parameter(std::string_view written, std::string_view name) noexcept
{
    if (!needs_decoding(written, plus::is_space)) return written == name;
    decoder bytes{written, plus::is_space};
    for (char const wanted : name)
        if (bytes.next() != wanted) return false;
    return !bytes.next();
}

std::optional<std::string_view> next_query_value(std::string_view& rest, std::string_view name) noexcept
{
    while (!rest.empty()) {
        auto value = take_until(rest, '&');
        if (is_parameter(take_until(value, '='), name)) return value;
    }
    return std::nullopt;
}

std::optional<std::string_view> next_cookie_value(std::string_view& rest, std::string_view name) noexcept
{
    while (!rest.empty()) {
        auto pair = take_until(rest, ';');
        if (base::trim_ows(take_until(pair, '=')) == name) return without_quotes(base::trim_ows(pair));
    }
    return std::nullopt;
}

} // namespace penstock::partition
