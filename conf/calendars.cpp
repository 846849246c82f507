#include "conf/calendars.hpp"

#include "conf/bounded_file.hpp"
#include "conf/key_language.hpp"
#include "conf/read.hpp"
#include "conf/suggest.hpp"
#include "conf/time_zone.hpp"
#include "conf/words.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <vector>

namespace penstock::conf {

namespace {

using limiter::calendar_unit;
using std::chrono::local_days;

constexpr std::size_t most_zone_bytes = std::size_t{64} * 1024;
constexpr std::chrono::year first_year{2025};
constexpr std::chrono::year year_after{2102};

local_days first_unit(calendar_unit unit)
{
    auto const first = local_days{first_year / 1 / 1};
    if (unit != calendar_unit::week) return first;
    return first - (std::chrono::weekday{first} - std::chrono::Monday);
}

local_days next_unit(calendar_unit unit, local_days day)
{
    if (unit == calendar_unit::day) return day + std::chrono::days{1};
    if (unit == calendar_unit::week) return day + std::chrono::days{7};
    return local_days{std::chrono::year_month_day{day} + std::chrono::months{1}};
}

limiter::calendar make_calendar(calendar_unit unit, std::string const& name, time_zone const& zone)
{
    limiter::calendar made{unit, name, {}};
    for (auto day = first_unit(unit); day < local_days{year_after / 1 / 1}; day = next_unit(unit, day)) {
        auto const begin = std::chrono::microseconds{zone.begin_of(day).time_since_epoch()}.count();
        // A zone that leaves out a whole day has one unit less.
        if (made.starts.empty() || begin > made.starts.back()) made.starts.push_back(begin);
    }
    return made;
}

// Names of the database: `Europe/Berlin`. Its further copies (posix/, right/) are not meant.
std::vector<std::string> names_in(std::string const& folder)
{
    namespace fs = std::filesystem;
    std::vector<std::string> names;
    std::error_code failed;
    for (fs::recursive_directory_iterator at{folder, failed}, end; !failed && at != end; at.increment(failed)) {
        auto const name = at->path().lexically_relative(folder).string();
        if (name == "posix" || name == "right") at.disable_recursion_pending();
        std::error_code gone;
        if (name.find('.') == std::string::npos && at->is_regular_file(gone)) names.push_back(name);
    }
    return names;
}

constexpr std::string_view any_zone = "write a name of the time zone database such as Europe/Berlin, or UTC";

std::string_view city_of(std::string_view name) { return name.substr(name.rfind('/') + 1); }

std::string nearest_zone(std::string const& written, std::vector<std::string> const& names)
{
    std::vector<std::string_view> const known{names.begin(), names.end()};
    auto const is_there = [&](std::string_view name) { return lower_case(city_of(name)) == lower_case(city_of(written)); };
    auto const city = std::find_if(known.begin(), known.end(), is_there);
    auto const near = city != known.end() ? *city : nearest(written, known);
    if (!near.empty()) return "did you mean '" + std::string{near} + "'?";
    return std::string{any_zone};
}

struct zone_reader {
    std::string const& folder;
    problem_list& problems;

    // Nothing if it cannot be read: then that is among the problems. `written` is null where the default stands.
    [[nodiscard]] std::optional<time_zone> read(node const* written, std::string const& path) const
    {
        if (written == nullptr || written->text == default_time_zone) return time_zone{};
        if (!is_zone_name(written->text)) return std::nullopt; // reported by check_shape
        auto const file = read_bounded((std::filesystem::path{folder} / written->text).string(), most_zone_bytes);
        if (file) {
            if (auto zone = time_zone::parse(*file)) return zone;
            problems.error(written->at, path,
                           "'" + written->written + "' is no time zone that can be read; " + std::string{any_zone});
            return std::nullopt;
        }
        auto const names = names_in(folder);
        if (names.empty())
            problems.error(written->at, path,
                           "the time zone database is missing (" + folder + "); install the package tzdata, or write UTC");
        else
            problems.error(written->at, path,
                           "there is no time zone '" + written->written + "'; " + nearest_zone(written->text, names));
        return std::nullopt;
    }
};

} // namespace

std::optional<limiter::calendar_unit> parse_calendar_unit(std::string_view text) noexcept
{
    if (text == "day") return calendar_unit::day;
    if (text == "week") return calendar_unit::week;
    if (text == "month") return calendar_unit::month;
    return std::nullopt;
}

limiter::calendar const* calendars::find(limiter::calendar_unit unit, std::string const& zone) const noexcept
{
    auto const found = made_.find({unit, zone});
    return found == made_.end() ? nullptr : &found->second;
}

calendars read_calendars(node const& root, std::string const& folder, problem_list& problems)
{
    calendars all;
    auto const* limits = root.find("limits");
    if (limits == nullptr) return all;
    zone_reader const zones{folder, problems};
    for (auto const& limit : limits->members) {
        auto const unit = parsed(limit.value.find("fixed_window.calendar"), parse_calendar_unit);
        if (!unit) continue;
        auto const* written = limit.value.find("fixed_window.time_zone");
        auto const name = written != nullptr ? text_of(written) : std::string{default_time_zone};
        if (all.find(*unit, name) != nullptr) continue;
        if (auto const zone = zones.read(written, "limits." + limit.key + ".fixed_window.time_zone"))
            all.made_.emplace(std::pair{*unit, name}, make_calendar(*unit, name, *zone));
    }
    return all;
}

} // namespace penstock::conf
