// Token bucket that is refilled at the end of each period. Internal to the algorithms: called by algorithm.cpp only. Knows no
// clock and no other algorithm. Pure.
//   counter_state: until_us = the refill that makes the bucket full, extra = permits missing just before it (1 to `refill`).
//   Every refill before it brings `refill` permits, so the two words say what is missing at any instant.
#pragma once

#include "limiter/algorithm.hpp"

namespace penstock::limiter {

advanced advance_periodic_bucket(periodic_bucket const& parameters, counter_state const* state, std::int64_t cost,
                                 base::instant now) noexcept;
bool refund_periodic_bucket(periodic_bucket const& parameters, counter_state& state, charge const& taken,
                            base::instant now) noexcept;
// Another capacity that refills in as many periods; nothing if `refill` would not be whole.
std::optional<periodic_bucket> with_capacity(periodic_bucket const& parameters, std::int64_t capacity) noexcept;
// Time in which an empty bucket becomes full.
base::micros time_to_refill(periodic_bucket const& parameters) noexcept;

} // namespace penstock::limiter
