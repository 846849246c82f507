// Field names of HTTP are compared without regard to case (RFC 9110 5.1). Pure; used by partition and proxy.
#pragma once

#include <algorithm>
#include <string_view>

namespace penstock::base {

constexpr char ascii_lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

// `lower` is written in lower case already.
constexpr bool is_field(std::string_view name, std::string_view lower) noexcept
{
    return name.size() == lower.size() &&
           std::equal(name.begin(), name.end(), lower.begin(), [](char a, char b) { return a == b || ascii_lower(a) == b; });
}

constexpr bool same_field(std::string_view a, std::string_view b) noexcept
{
    return a.size() == b.size() &&
           std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return ascii_lower(x) == ascii_lower(y); });
}

// Optional white space around a field's value or one of its elements (RFC 9110 5.6.3).
constexpr std::string_view trim_ows(std::string_view text) noexcept
{
    constexpr auto is_ows = [](char c) { return c == ' ' || c == '\t'; }; // find_first_not_of would call memchr for each byte
    while (!text.empty() && is_ows(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_ows(text.back())) text.remove_suffix(1);
    return text;
}

} // namespace penstock::base
