// A window that moves one segment of the clock at a time. Internal to the algorithms: called by algorithm.cpp only. Knows no
// clock and no other algorithm. Pure.
//   long_state: words = number of a segment (from the epoch), then the permits charged in it and in each of those before it
//   that are of the same window; empty if there are none. until_us = when the last of them has left the window.
#pragma once

#include "limiter/algorithm.hpp"

namespace penstock::limiter {

advanced advance_sliding_window(sliding_window const& parameters, long_state const* state, std::int64_t cost,
                                base::instant now) noexcept;
// `cost` 0: only the repair.
void charge_sliding_window(sliding_window const& parameters, long_state& state, std::int64_t cost, base::instant now);
bool refund_sliding_window(sliding_window const& parameters, long_state& state, charge const& taken,
                           base::instant now) noexcept;

} // namespace penstock::limiter
