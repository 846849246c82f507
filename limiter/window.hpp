// Windows that start over, whoever sets their ends: a caller's first request, the clock or a calendar. Internal to the
// algorithms: called by algorithm.cpp only. Knows no clock and no other algorithm. Pure.
#pragma once

#include "limiter/algorithm.hpp"

namespace penstock::limiter {

// What all three come to at one instant.
struct present_window {
    std::int64_t limit = 1;
    std::int64_t end_us = 0; // of a window that started now
};
present_window window_at(fixed_window const& parameters, base::instant now) noexcept;
present_window window_at(clock_window const& parameters, base::instant now) noexcept;
present_window window_at(calendar_window const& parameters, base::instant now) noexcept;

advanced advance_window(present_window const& window, counter_state const* state, std::int64_t cost,
                        base::instant now) noexcept;
bool refund_window(counter_state& state, charge const& taken, base::instant now) noexcept;

} // namespace penstock::limiter
