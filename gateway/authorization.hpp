// The scheme's name in a value of Authorization, and what follows it (RFC 9110 11.4). Readers differ in what they take for the
// end of the name: one that follows the grammar wants a space, one that splits at white space takes a tab, a no-break space or
// what is left of a control character. So the name ends at the first byte that cannot be part of it, and a caller sees whether
// that byte may stand there; else the upstream would find credentials that nobody has looked at here. Pure.
#pragma once

#include "base/field_name.hpp"

#include <string_view>

namespace penstock::gateway {

// RFC 9110 5.6.2.
constexpr bool is_token_byte(char c) noexcept
{
    constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
    auto const lower = base::ascii_lower(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || marks.find(c) != std::string_view::npos;
}

struct authorization {
    std::string_view scheme;
    std::string_view rest; // from the byte that ends the name
    bool is_sound = false; // the name stands first, and nothing, a space or a tab follows
};

constexpr authorization read_authorization(std::string_view value) noexcept
{
    std::size_t start = 0;
    while (start < value.size() && !is_token_byte(value[start])) ++start;
    auto end = start;
    while (end < value.size() && is_token_byte(value[end])) ++end;
    auto const rest = value.substr(end);
    auto const is_ended = rest.empty() || rest.front() == ' ' || rest.front() == '\t';
    return {.scheme = value.substr(start, end - start), .rest = rest, .is_sound = start == 0 && is_ended};
}

} // namespace penstock::gateway
