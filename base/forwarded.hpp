// The field Forwarded (RFC 7239) as a list that is read from its right end, where the nearest proxy wrote: elements, their
// parameters, the nodes in them. What stands to the left of an element cannot change how it is read. Knows nothing of
// trust. Pure; used by partition (who is calling) and proxy (what the upstream is told).
#pragma once

#include "base/ip_address.hpp"

#include <optional>
#include <span>
#include <string_view>

namespace penstock::base {

// Values are as received: a token, or a quoted-string with its quotes. Empty where the parameter is absent.
struct forwarded_element {
    std::string_view text{};  // without white space around it
    std::string_view node{};  // `for`
    std::string_view host{};  // `host`
    std::string_view proto{}; // `proto`
    bool well_formed = false; // as RFC 7239 4 has it, no parameter twice (IP-20); else only `text` is set
};

// Cuts the last element that is not empty off `line`; nothing if there is none. Behind an element without a beginning (a
// quote that nothing opens) nothing else can be told apart: it takes the rest of the line.
std::optional<forwarded_element> take_last_element(std::string_view& line) noexcept;

// Cuts the first element that is not empty off `line`, in which every element must be well formed.
std::optional<forwarded_element> take_first_element(std::string_view& line) noexcept;

// The text that a value stands for: of a quoted-string without quotes and escapes. Views `value` or `scratch`; nothing if
// `scratch` is too small for it.
std::optional<std::string_view> unquoted(std::string_view value, std::span<char> scratch) noexcept;

// The address that a node names, its port dropped. Nothing of `unknown`, an obfuscated name, or what is no node (IP-21, IP-22).
std::optional<ip_address> node_address(std::string_view value) noexcept;

} // namespace penstock::base
