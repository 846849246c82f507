#include "gateway/utc_time.hpp"

#include <array>
#include <chrono>
#include <cstdio>

namespace penstock::gateway {
namespace {

struct broken_down {
    int year;
    unsigned month, day, hour, minute, second, weekday;
};

broken_down break_down(std::int64_t epoch_s)
{
    using namespace std::chrono;
    sys_seconds const when{seconds{epoch_s}};
    auto const midnight = floor<days>(when);
    year_month_day const date{midnight};
    hh_mm_ss const time{when - midnight};
    return {static_cast<int>(date.year()),
            static_cast<unsigned>(date.month()),
            static_cast<unsigned>(date.day()),
            static_cast<unsigned>(time.hours().count()),
            static_cast<unsigned>(time.minutes().count()),
            static_cast<unsigned>(time.seconds().count()),
            weekday{midnight}.c_encoding()};
}

void append_two(std::string& out, unsigned number)
{
    out.append({static_cast<char>('0' + number / 10 % 10), static_cast<char>('0' + number % 10)});
}

} // namespace

std::string imf_fixdate(std::int64_t epoch_s)
{
    static constexpr std::array<char const*, 7> weekdays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr std::array<char const*, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    auto const when = break_down(epoch_s);
    std::string text = weekdays.at(when.weekday);
    text.append(", ");
    append_two(text, when.day);
    text.append(" ").append(months.at(when.month - 1)).append(" ").append(std::to_string(when.year)).append(" ");
    append_two(text, when.hour);
    text.append(":");
    append_two(text, when.minute);
    text.append(":");
    append_two(text, when.second);
    return text.append(" GMT");
}

void append_rfc3339(std::string& out, std::int64_t epoch_us)
{
    auto const when = break_down(epoch_us / 1'000'000);
    auto const ms = static_cast<unsigned>(epoch_us / 1000 % 1000);
    append_two(out, static_cast<unsigned>(when.year / 100));
    append_two(out, static_cast<unsigned>(when.year % 100));
    out.append("-");
    append_two(out, when.month);
    out.append("-");
    append_two(out, when.day);
    out.append("T");
    append_two(out, when.hour);
    out.append(":");
    append_two(out, when.minute);
    out.append(":");
    append_two(out, when.second);
    out.append({'.', static_cast<char>('0' + ms / 100)});
    append_two(out, ms % 100);
    out.append("Z");
}

} // namespace penstock::gateway
