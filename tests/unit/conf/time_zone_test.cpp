// When days begin in time zones of the system's database, and in files that are none.
#include "conf/time_zone.hpp"

#include "conf/bounded_file.hpp"
#include "conf/zone_rule.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace penstock;
using namespace std::chrono;

namespace {

std::string file_of(std::string const& zone) { return *conf::read_bounded("/usr/share/zoneinfo/" + zone, 64 * 1024); }

local_days day_of(int year_number, unsigned month_number, unsigned day_number)
{
    return local_days{year{year_number} / month{month_number} / day{day_number}};
}

// What lies between the beginning of a day by UTC and in the zone.
minutes ahead(std::string const& zone, local_days day)
{
    auto const begin = conf::time_zone::parse(file_of(zone))->begin_of(day);
    return duration_cast<minutes>(sys_seconds{day.time_since_epoch()} - begin);
}

// A file without any change but its rule.
std::string slim_file(std::string const& rule, char version = '2')
{
    auto const header = [&](char types) {
        return std::string{"TZif"} + version + std::string(15 + 16, '\0') + std::string{'\0', '\0', '\0', types} +
               std::string{'\0', '\0', '\0', '\0'};
    };
    std::string const utc(6, '\0');
    return header('\1') + utc + header('\1') + utc + '\n' + rule + '\n';
}

} // namespace

TEST_CASE("a day begins when its date begins, whatever the clocks do")
{
    struct row {
        char const* name;
        char const* zone;
        local_days day;
        minutes ahead;
    };
    for (auto const& [name, zone, day, expected] : {
             row{"winter", "Europe/Berlin", day_of(2026, 1, 1), 60min},
             row{"the day of the change", "Europe/Berlin", day_of(2026, 3, 29), 60min},
             row{"the day after, which came an hour early", "Europe/Berlin", day_of(2026, 3, 30), 120min},
             row{"autumn, 25 hours", "Europe/Berlin", day_of(2026, 10, 26), 60min},
             row{"beyond the file's list", "Europe/Berlin", day_of(2050, 7, 1), 120min},
             row{"the last summer", "Europe/Berlin", day_of(2100, 7, 1), 120min},
             row{"south", "Australia/Sydney", day_of(2026, 1, 1), 660min},
             row{"south, far away in time", "Australia/Sydney", day_of(2090, 7, 1), 600min},
             row{"half an hour of summer", "Australia/Lord_Howe", day_of(2060, 1, 1), 660min},
             row{"winter time is the exception", "Europe/Dublin", day_of(2070, 7, 1), 60min},
             row{"a negative time of day", "America/Nuuk", day_of(2040, 4, 1), -60min},
             row{"more than a day after", "Asia/Gaza", day_of(2099, 7, 1), 180min},
             row{"midnight twice: the first", "America/Havana", day_of(2026, 11, 1), -240min},
             row{"no midnight: the change", "Asia/Beirut", day_of(2026, 3, 29), 120min},
             row{"never any change", "Asia/Tokyo", day_of(2080, 1, 1), 540min},
             row{"listed far ahead", "Africa/Casablanca", day_of(2087, 12, 1), 60min},
             row{"no change in the file", "Etc/UTC", day_of(2030, 1, 1), 0min},
         }) {
        CAPTURE(name);
        CHECK(ahead(zone, day).count() == expected.count());
    }
    CHECK(conf::time_zone{}.begin_of(day_of(2026, 5, 1)) == sys_seconds{day_of(2026, 5, 1).time_since_epoch()});
}

TEST_CASE("a file without a list lives by its rule")
{
    auto const zone = conf::time_zone::parse(slim_file("EST5EDT,M3.2.0,M11.1.0"));
    REQUIRE(zone);
    auto const newyork = conf::time_zone::parse(file_of("America/New_York"));
    for (auto day = day_of(2026, 1, 1); day < day_of(2029, 1, 1); day += days{1})
        CHECK(zone->begin_of(day) == newyork->begin_of(day));
}

TEST_CASE("what is no time zone file is none")
{
    auto const whole = file_of("Europe/Berlin");
    for (std::size_t length = 0; length < whole.size(); ++length) {
        CAPTURE(length);
        CHECK(!conf::time_zone::parse(whole.substr(0, length)));
    }
    CHECK(conf::time_zone::parse(slim_file("UTC0")));
    CHECK(conf::time_zone::parse(slim_file("")));
    CHECK(!conf::time_zone::parse(slim_file("UTC0", '\0'))); // of 32 bits only
    CHECK(!conf::time_zone::parse(slim_file("EST5EDT,M3.2.0")));
    CHECK(!conf::time_zone::parse("TZif"));
}

TEST_CASE("rules are read as POSIX and RFC 8536 write them")
{
    auto const at = [](char const* rule, int year_number) {
        auto const read = conf::parse_zone_rule(rule);
        REQUIRE(read);
        REQUIRE(read->summer_time);
        return sys_days{read->summer_time->begin.in(year{year_number})};
    };
    CHECK(at("CET-1CEST,M3.5.0,M10.5.0/3", 2026) == sys_days{2026y / March / 29});
    CHECK(at("AAA3BBB,J60/0,J365/25", 2028) == sys_days{2028y / March / 1});
    CHECK(at("AAA3BBB,J59,J365", 2028) == sys_days{2028y / February / 28});
    CHECK(at("AAA3BBB,59,365", 2028) == sys_days{2028y / February / 29});
    CHECK(conf::parse_zone_rule("<+0530>-5:30")->standard == 330min);
    CHECK(conf::parse_zone_rule("AAA3BBB2:30:15,0/0,J365/23")->summer_time->offset == -(2h + 30min + 15s));
    CHECK(conf::parse_zone_rule("<-02>2<-01>,M3.5.0/-1,M10.5.0/0")->summer_time->begin_time == -1h);
    for (auto const* wrong : {"", "C", "CET", "CET-", "CET-1CEST,", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0",
                              "CET-1CEST,M3.0.0,M10.5.0", "CET-1CEST,M3.5.7,M10.5.0", "CET-1CEST,M3.5.0,M10.5.0/3x",
                              "CET-1CEST,J366,J1", "<CET-1", "CET-168", "CET-1CEST;M3.5.0,M10.5.0"}) {
        CAPTURE(wrong);
        CHECK(!conf::parse_zone_rule(wrong));
    }
}
