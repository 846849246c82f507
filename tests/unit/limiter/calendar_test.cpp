#include "limiter/calendar.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>

namespace penstock::limiter {

TEST_CASE("the present unit and its neighbours")
{
    calendar const days{.unit = calendar_unit::day, .time_zone = "of the test", .starts = {10, 20, 30, 40, 50}};
    struct row {
        std::string name;
        std::int64_t now;
        calendar_moment expected;
    };
    std::array const rows{
        row{"first instant of a unit", 20, {10, 20, 30, 40}},
        row{"last instant of a unit", 29, {10, 20, 30, 40}},
        row{"first instant of the next", 30, {20, 30, 40, 50}},
        row{"last instant of the table", 39, {20, 30, 40, 50}},
        row{"before the table, its edge", 5, {10, 20, 30, 40}},
        row{"in the first unit, its edge", 15, {10, 20, 30, 40}},
        row{"after the table, its edge", 99, {20, 30, 40, 50}},
    };
    for (auto const& row : rows) {
        CAPTURE(row.name);
        auto const got = moment_of(days, base::at_epoch_us(row.now));
        CHECK(got.before == row.expected.before);
        CHECK(got.start == row.expected.start);
        CHECK(got.end == row.expected.end);
        CHECK(got.after == row.expected.after);
    }
}

} // namespace penstock::limiter
