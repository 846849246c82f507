// The calendars that limits count by: one table per unit and time zone, shared by all limits that name both. Reads the
// system's time zone database, once per zone; UTC needs none. I/O: files only. Called by load before anything is compiled;
// owned by the snapshot afterwards.
#pragma once

#include "conf/document.hpp"
#include "limiter/calendar.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace penstock::conf {

inline constexpr char time_zone_folder[] = "/usr/share/zoneinfo";
inline constexpr std::string_view default_time_zone = "UTC";

std::optional<limiter::calendar_unit> parse_calendar_unit(std::string_view text) noexcept; // day week month

class calendars {
public:
    // Null where `unit` and `zone` are not among those that were read. Stays where it is as long as the calendars are moved only.
    [[nodiscard]] limiter::calendar const* find(limiter::calendar_unit unit, std::string const& zone) const noexcept;

private:
    friend calendars read_calendars(node const& root, std::string const& folder, problem_list& problems);
    std::map<std::pair<limiter::calendar_unit, std::string>, limiter::calendar> made_;
};

// All calendars that the limits of a document name. What names no zone, or cannot be read, is a problem.
calendars read_calendars(node const& root, std::string const& folder, problem_list& problems);

} // namespace penstock::conf
