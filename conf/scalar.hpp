// The written forms of values: whole numbers, durations, sizes, rates, percentages, booleans. Each function reads a whole
// text or returns nothing; nothing is rounded. Knows no key. Called by check_value and compile. Pure.
#pragma once

#include "base/clock.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace penstock::conf {

// `permits` per `period`: 50/30s, 100/minute.
struct rate {
    std::int64_t permits = 0;
    base::micros period{0};
};

std::optional<std::int64_t> parse_integer(std::string_view text) noexcept;    // digits only, at most 15 of them
std::optional<base::micros> parse_duration(std::string_view text) noexcept;   // 250ms 10s 5m 1h 1d
std::optional<std::int64_t> parse_size(std::string_view text) noexcept;       // 512B 64KiB 1MiB 5GiB, in bytes
std::optional<rate> parse_rate(std::string_view text) noexcept;               // 50/30s; 100/minute; 100/m
std::optional<std::int64_t> parse_percentage(std::string_view text) noexcept; // 10%
std::optional<bool> parse_boolean(std::string_view text) noexcept;            // on off true false

// The shortest text that reads back as the same value.
std::string write_duration(base::micros value);
std::string write_size(std::int64_t bytes);

} // namespace penstock::conf
