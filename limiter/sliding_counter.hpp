// Two windows of the clock, the older weighted by its overlap. Internal to the algorithms: called by algorithm.cpp only. Knows
// no clock and no other algorithm. Pure.
//   counter_state: until_us = end of the window after the one that holds the last charge; extra = permits charged in that
//   window, and, 2^32 times, those charged in the window before it.
#pragma once

#include "limiter/algorithm.hpp"

namespace penstock::limiter {

advanced advance_sliding_counter(sliding_counter const& parameters, counter_state const* state, std::int64_t cost,
                                 base::instant now) noexcept;
bool refund_sliding_counter(sliding_counter const& parameters, counter_state& state, charge const& taken,
                            base::instant now) noexcept;

} // namespace penstock::limiter
