// The closed set of rate-limit algorithms: parameters, state and the one verb `advance`. An algorithm is a function of
// old state, cost and time; it knows no clock, map, lock or store, and never allocates. lua/lib/ holds its twins, which
// give the same answer to the bit. Pure.
//
// Time is integer microseconds; every rounding is against the caller. What is computed stays below 2^53 (the configuration
// refuses parameters that would not), because the twins calculate in doubles.
#pragma once

#include "base/clock.hpp"
#include "limiter/decision.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace penstock::limiter {

// Continuous token bucket as GCRA (ITU-T I.371, virtual scheduling). One permit is worth
// `interval_us + interval_num / interval_den` microseconds, in lowest terms; interval_num < interval_den.
struct token_bucket {
    std::int64_t capacity = 1; // permits, >= 1
    std::int64_t interval_us = 1;
    std::int64_t interval_num = 0;
    std::int64_t interval_den = 1;
    friend bool operator==(token_bucket const&, token_bucket const&) = default;
};

// At most `limit` permits within `window_us` from the whole millisecond in which a caller's first request falls; then anew.
struct fixed_window {
    std::int64_t limit = 1;
    std::int64_t window_us = 1'000'000;
    friend bool operator==(fixed_window const&, fixed_window const&) = default;
};

using algorithm = std::variant<token_bucket, fixed_window>;

// Two words, read according to the algorithm. For every algorithm a state means the same as no state once the clock
// (microseconds since the epoch) has passed `until_us`: then a store may drop it, oldest first.
//   token_bucket: until_us + extra / interval_den = theoretical arrival time
//   fixed_window: until_us = end of the window (a whole millisecond), extra = permits used
struct counter_state {
    std::int64_t until_us = 0;
    std::int64_t extra = 0;
    friend bool operator==(counter_state const&, counter_state const&) = default;
};

// What the configuration must keep, so that neither form ever calculates above 2^53: instants up to the year 2100
// (4.1 * 10^15 us) plus twice `longest_us` stay below it, and so does a capacity times its denominator.
inline constexpr std::int64_t exact_bound = std::int64_t{1} << 53;
inline constexpr std::int64_t longest_us = std::int64_t{1} << 51; // to refill a bucket, or of a window: 71 years
// Permits used take at most 13 digits of a window's text in Redis; no algorithm multiplies them.
inline constexpr std::int64_t largest_window_limit = 1'000'000'000'000;
// So that a millisecond, to which the start of a window is rounded down, is at most 1 % of it.
inline constexpr std::int64_t shortest_window_us = 100'000;

// `refill_permits` arrive evenly over each `period`. Nothing if that cannot be calculated exactly.
std::optional<token_bucket> make_token_bucket(std::int64_t capacity, std::int64_t refill_permits, base::micros period);
// Nothing unless the window is a whole number of milliseconds, from 100 ms up, and the limit at most 10^12.
std::optional<fixed_window> make_fixed_window(std::int64_t limit, base::micros window);

struct advanced {
    limiter::decision decision; // what the caller is told if this limit's answer stands
    limiter::decision idle;     // what it is told if nothing is charged: the same if refused, else the uncharged numbers
    counter_state next;         // the state after charging `cost`; to be kept only if allowed and `cost` > 0
    counter_state repaired;     // the state without charging, after clamping what a clock step or a lowered limit left behind
    bool needs_repair = false;  // `repaired` differs from what was stored and must be kept even when refused
};

// `state` null: an untouched counter. `cost` >= 0; 0 only looks, and always may. A cost above the burst is refused with
// retry_after = never.
advanced advance(algorithm const& parameters, counter_state const* state, std::int64_t cost, base::instant now) noexcept;

// A charge to be undone: what was taken, when, and the reset_after that was answered then.
struct charge {
    std::int64_t cost = 0;
    base::instant at{};
    base::micros reset_after{0};
};

// Gives a charge back: its exact inverse if nothing was admitted on it, less what refilled since (time-decayed), so that
// charging and giving back never admits more than charging alone. False if there is nothing to give back: all of it has
// refilled, its window is over, or the clock went back meanwhile.
bool refund(algorithm const& parameters, counter_state& state, charge const& taken, base::instant now) noexcept;

// The most that can be admitted at once.
std::int64_t burst_of(algorithm const& parameters) noexcept;
// Time in which an exhausted counter is untouched again: the `w` of RateLimit-Policy, rounded up to whole seconds, >= 1.
std::int64_t window_seconds_of(algorithm const& parameters) noexcept;
// Distinguishes keys of different algorithms (and window lengths): "tb", "fw10s", "fw250ms".
std::string tag_of(algorithm const& parameters);

} // namespace penstock::limiter
