// Field names of HTTP are compared without regard to case (RFC 9110 5.1). Pure; used by partition and proxy.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace penstock::base {

constexpr char ascii_lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

namespace detail {

inline std::uint64_t eight_bytes(char const* at) noexcept
{
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, at, sizeof bytes);
    return bytes;
}

// The bits that the upper case of `lower` lacks: 0x20 in each byte that is one of a to z. No sum carries into the next byte, for
// each adds to seven bits what leads to the eighth from `a`, and from behind `z`.
constexpr std::uint64_t case_bits(std::uint64_t lower) noexcept
{
    constexpr std::uint64_t each = 0x0101010101010101;
    auto const low = lower & 0x7F * each;
    auto const from_a = low + (0x80 - 'a') * each;
    auto const behind_z = low + (0x80 - 'z' - 1) * each;
    return (from_a & ~behind_z & ~lower & 0x80 * each) >> 2;
}

inline bool same_eight(char const* name, char const* lower) noexcept
{
    auto const wanted = eight_bytes(lower);
    return ((eight_bytes(name) ^ wanted) & ~case_bits(wanted)) == 0;
}

} // namespace detail

// `lower` is written in lower case already. Eight bytes at a time: every field of every request is asked for some names.
inline bool is_field(std::string_view name, std::string_view lower) noexcept
{
    constexpr std::size_t stride = 8;
    auto const size = lower.size(); // mostly known when this is compiled
    if (name.size() != size) return false;
    if (size < stride) {
        for (std::size_t i = 0; i < size; ++i)
            if (name[i] != lower[i] && ascii_lower(name[i]) != lower[i]) return false;
        return true;
    }
    for (std::size_t at = 0; at + stride < size; at += stride)
        if (!detail::same_eight(name.data() + at, lower.data() + at)) return false;
    return detail::same_eight(name.data() + size - stride, lower.data() + size - stride); // may overlap the one before
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
