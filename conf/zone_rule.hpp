// When a time zone's clocks change from year to year: the rule at the end of a time zone file (RFC 8536 section 3.3), written as
// POSIX writes TZ. Called by time_zone. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace penstock::conf {

// A day of every year.
struct yearly_day {
    enum class form : std::uint8_t { weekday_of_month, day_without_leap, day_of_year };
    form how = form::weekday_of_month;
    unsigned month = 1;   // weekday_of_month: 1 to 12
    unsigned week = 1;    // weekday_of_month: 1 to 5; 5 is the last
    unsigned weekday = 0; // weekday_of_month: 0 is Sunday
    int day = 0;          // day_without_leap: 1 to 365, February 29 never counts; day_of_year: 0 to 365

    [[nodiscard]] std::chrono::sys_days in(std::chrono::year year) const;
};

struct zone_rule {
    std::chrono::seconds standard{0}; // ahead of UTC
    struct summer {
        std::chrono::seconds offset{0}; // ahead of UTC
        yearly_day begin;
        std::chrono::seconds begin_time{0}; // of standard time
        yearly_day end;
        std::chrono::seconds end_time{0}; // of summer time
    };
    std::optional<summer> summer_time;
};

std::optional<zone_rule> parse_zone_rule(std::string_view text);

} // namespace penstock::conf
