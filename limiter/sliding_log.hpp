// The instant of every permit. Internal to the algorithms: called by algorithm.cpp only. Knows no clock and no other
// algorithm. Pure.
//   long_state: words = how many of the instants that follow had left the window at the last charge or repair and count no
//   more, whatever the clock says later; then one instant for each permit, ascending. until_us = when the last one leaves.
#pragma once

#include "limiter/algorithm.hpp"

namespace penstock::limiter {

advanced advance_sliding_log(sliding_log const& parameters, long_state const* state, std::int64_t cost,
                             base::instant now) noexcept;
// `cost` 0: only the repair.
void charge_sliding_log(sliding_log const& parameters, long_state& state, std::int64_t cost, base::instant now);
bool refund_sliding_log(sliding_log const& parameters, long_state& state, charge const& taken, base::instant now) noexcept;

} // namespace penstock::limiter
