// Addresses of the well-known prefix 64:ff9b::/96 (RFC 6052), each of which stands for one IPv4 address. Pure.
#pragma once

#include "base/ip_address.hpp"

#include <optional>

namespace penstock::partition {

inline constexpr unsigned nat64_prefix = 96; // bits in front of the IPv4 address

// The IPv4 address that `address` stands for; nothing if it is of another network. The local-use prefix 64:ff9b:1::/48
// (RFC 8215), 6to4 and Teredo are ordinary IPv6 here (IP-11).
std::optional<base::ip_address> embedded_v4(base::ip_address const& address) noexcept;

} // namespace penstock::partition
