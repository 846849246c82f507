// Which part of the fleet this process is. Plain value.
#pragma once

#include <cstdint>

namespace penstock::limiter {

struct fleet_part {
    std::uint32_t gateways = 1; // that live, this one included; >= 1
    std::uint32_t place = 0;    // of this one among them, in an order that all of them agree on; < gateways
    friend bool operator==(fleet_part const&, fleet_part const&) = default;
};

} // namespace penstock::limiter
