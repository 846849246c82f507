// Calendars as limits count by them: what is shared, where units begin, and a machine without a time zone database.
#include "conf/calendars.hpp"

#include "conf/document.hpp"
#include "conf/load.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <string>

using namespace penstock;
using namespace std::chrono;

namespace {

conf::loaded load_limits(std::string const& limits)
{
    return conf::load_text("listeners: [{ address: 127.0.0.1:8080 }]\n"
                           "upstreams: { app: { servers: [127.0.0.1:3000] } }\n"
                           "limits:\n" +
                               limits + "routes: [{ upstream: app, limits: [a, b] }]\n",
                           "test", ".", [](std::string const&) { return std::nullopt; });
}

limiter::calendar const& calendar_of(conf::loaded const& from, std::size_t policy)
{
    return *std::get<limiter::calendar_window>(from.snapshot->policies[policy].quota.algorithm).calendar;
}

bool begins_at(limiter::calendar const& in, sys_seconds at)
{
    return std::binary_search(in.starts.begin(), in.starts.end(), microseconds{at.time_since_epoch()}.count());
}

} // namespace

TEST_CASE("limits of the same unit and zone share one calendar")
{
    auto const same =
        load_limits("  a: { key: client.ip, fixed_window: { limit: 5, calendar: day, time_zone: Europe/Berlin } }\n"
                    "  b: { key: everyone, fixed_window: { limit: 6, calendar: day, time_zone: Europe/Berlin } }\n");
    REQUIRE(same.snapshot);
    CHECK(&calendar_of(same, 0) == &calendar_of(same, 1));
    CHECK(calendar_of(same, 0).time_zone == "Europe/Berlin");
    auto const other = load_limits("  a: { key: client.ip, fixed_window: { limit: 5, calendar: day } }\n"
                                   "  b: { key: everyone, fixed_window: { limit: 6, calendar: month, time_zone: UTC } }\n");
    REQUIRE(other.snapshot);
    CHECK(&calendar_of(other, 0) != &calendar_of(other, 1));
    CHECK(calendar_of(other, 1).unit == limiter::calendar_unit::month);
}

TEST_CASE("days, weeks and months begin at midnight of their zone, from before 2026 to after 2100")
{
    auto const made =
        load_limits("  a: { key: client.ip, fixed_window: { limit: 5, calendar: week, time_zone: Europe/Berlin } }\n"
                    "  b: { key: everyone, fixed_window: { limit: 6, calendar: month } }\n");
    REQUIRE(made.snapshot);
    auto const& weeks = calendar_of(made, 0);
    CHECK(begins_at(weeks, sys_days{2026y / November / 15} + 23h)); // Monday the 16th
    CHECK(begins_at(weeks, sys_days{2026y / July / 5} + 22h));
    CHECK(!begins_at(weeks, sys_days{2026y / July / 6} + 22h));
    auto const& months = calendar_of(made, 1);
    CHECK(begins_at(months, sys_days{2028y / February / 1}));
    CHECK(begins_at(months, sys_days{2101y / January / 1}));
    for (auto const* each : {&weeks, &months}) {
        CHECK(std::is_sorted(each->starts.begin(), each->starts.end()));
        CHECK(std::adjacent_find(each->starts.begin(), each->starts.end()) == each->starts.end());
        CHECK(each->starts.front() <= microseconds{sys_days{2025y / January / 1}.time_since_epoch()}.count());
    }
}

TEST_CASE("without a time zone database, UTC works and everything else is a problem")
{
    std::string const text = "limits:\n"
                             "  a: { fixed_window: { calendar: day } }\n"
                             "  b: { fixed_window: { calendar: day, time_zone: UTC } }\n"
                             "  c: { fixed_window: { calendar: day, time_zone: Europe/Berlin } }\n";
    conf::problem_list problems{"test"};
    auto const root = conf::parse_document(text, problems);
    REQUIRE(root);
    auto const made = conf::read_calendars(*root, "/nonexistent/zoneinfo", problems);
    CHECK(made.find(limiter::calendar_unit::day, "UTC") != nullptr);
    CHECK(made.find(limiter::calendar_unit::day, "Europe/Berlin") == nullptr);
    auto const found = std::move(problems).take_sorted();
    REQUIRE(found.size() == 1);
    CHECK(found[0].to_string() == "test:4:50: limits.c.fixed_window.time_zone: the time zone database is missing "
                                  "(/nonexistent/zoneinfo); install the package tzdata, or write UTC");
}
