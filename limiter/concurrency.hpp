// Permits held at once. Internal to the algorithms: called by algorithm.cpp only. Time decides nothing here: a state is
// needed for as long as it holds a permit. Pure.
//   counter_state: extra = permits held, until_us = held_until_us while there are any, else 0
#pragma once

#include "limiter/algorithm.hpp"

namespace penstock::limiter {

advanced advance_concurrency(concurrency const& parameters, counter_state const* state, std::int64_t cost) noexcept;
bool refund_concurrency(counter_state& state, charge const& taken) noexcept;

} // namespace penstock::limiter
