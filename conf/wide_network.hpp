// Networks that are no place of anybody's own but a part of the internet: who believes, or exempts, one of them means everybody
// and may not know it. Called by the checks. Pure.
#pragma once

#include "base/ip_address.hpp"

namespace penstock::conf {

// All addresses, half of them (0.0.0.0/1), all that are routed (2000::/3), or still more than anybody is given (IPv4 /8, IPv6 /16).
// Likewise the IPv4 addresses that NAT64 shows as 64:ff9b::/96 (RFC 6052). The private fc00::/7 is none.
bool is_wide(base::ip_network const& network) noexcept;

} // namespace penstock::conf
