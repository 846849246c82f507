// Days, weeks (from Monday) or months of one time zone as instants: what a calendar window needs to know of time zones.
// Compiled from the time zone database by conf; here it is a sorted table. Immutable, owned by the snapshot. Pure value.
#pragma once

#include "base/clock.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace penstock::limiter {

enum class calendar_unit : std::uint8_t { day, week, month };

struct calendar {
    calendar_unit unit = calendar_unit::day;
    std::string time_zone; // as configured
    // Where a unit begins, ascending, from before 2026 to after 2100: microseconds since the epoch.
    std::vector<std::int64_t> starts;
};

// The present unit and its neighbours: `before` <= `start` <= now < `end` < `after`. Outside the table its edge.
struct calendar_moment {
    std::int64_t before = 0; // where the unit before begins
    std::int64_t start = 0;
    std::int64_t end = 0;
    std::int64_t after = 0; // where the next unit ends
};
calendar_moment moment_of(calendar const& in, base::instant now) noexcept;

} // namespace penstock::limiter
