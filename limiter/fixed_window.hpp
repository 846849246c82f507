// Fixed window that starts with a caller's first request. Internal to the algorithms: called by algorithm.cpp only.
// Knows no clock and no other algorithm. Pure.
#pragma once

#include "limiter/algorithm.hpp"

namespace penstock::limiter {

advanced advance_fixed_window(fixed_window const& parameters, counter_state const* state, std::int64_t cost,
                              base::instant now) noexcept;
bool refund_fixed_window(counter_state& state, charge const& taken, base::instant now) noexcept;

} // namespace penstock::limiter
