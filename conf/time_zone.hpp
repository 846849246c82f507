// A time zone as the instants at which its clocks change, from the system's time zone database (files as RFC 8536 has them).
// Knows neither names nor folders. Called by calendars. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>
#include <vector>

namespace penstock::conf {

class time_zone {
public:
    time_zone(); // UTC

    // What a file of the database says, and its rule for the years that it does not list, up to `last_year`.
    // Nothing if it is no such file.
    static std::optional<time_zone> parse(std::string_view file);
    static constexpr std::chrono::year last_year{2102};

    // The first instant at which the zone's clocks have come to the beginning of `day`: where a change of the clocks skips
    // midnight, the instant of the change; where midnight comes twice, the first.
    [[nodiscard]] std::chrono::sys_seconds begin_of(std::chrono::local_days day) const noexcept;

private:
    struct change {
        std::chrono::sys_seconds at;
        std::chrono::seconds offset; // ahead of UTC, from then on
    };

    void add(std::chrono::sys_seconds at, std::chrono::seconds offset);
    bool follow_rule(std::string_view rule);

    std::vector<change> changes_; // ascending; the first before everything else
};

} // namespace penstock::conf
