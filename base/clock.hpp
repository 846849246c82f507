// The program's one clock: microseconds since the Unix epoch at start, advancing with the machine's steady clock, so that
// a step of the wall clock never refills or drains a limit. Only clock.cpp reads the machine; everybody else is handed an
// `instant`. Thread safe.
#pragma once

#include <chrono>
#include <cstdint>

namespace penstock::base {

using micros = std::chrono::microseconds;

struct clock {
    using duration = micros;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<clock>;
    static constexpr bool is_steady = true;

    // Microseconds since the epoch; never goes back within one process.
    static time_point now() noexcept;
};

// A point in time. What decides takes one as an argument.
using instant = clock::time_point;

constexpr std::int64_t since_epoch_us(instant at) noexcept { return at.time_since_epoch().count(); }
constexpr instant at_epoch_us(std::int64_t us) noexcept { return instant{micros{us}}; }

// Wall-clock time in microseconds since the Unix epoch, for dates shown to people (Date, log lines). May step.
std::int64_t wall_clock_us() noexcept;

// CLOCK_MONOTONIC in microseconds, as service managers want it.
std::int64_t monotonic_us() noexcept;

} // namespace penstock::base
