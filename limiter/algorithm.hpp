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
#include <string>
#include <variant>

namespace penstock::limiter {

// Continuous token bucket as GCRA (ITU-T I.371, virtual scheduling). One permit is worth
// `interval_us + interval_num / interval_den` microseconds, in lowest terms; interval_num < interval_den.
struct token_bucket {
    std::int64_t capacity = 1;     // permits, >= 1
    std::int64_t interval_us = 1;
    std::int64_t interval_num = 0;
    std::int64_t interval_den = 1;
    friend bool operator==(token_bucket const&, token_bucket const&) = default;
};

// At most `limit` permits from a caller's first request until `window_us` later, rounded up to a whole millisecond; then anew.
struct fixed_window {
    std::int64_t limit = 1;
    std::int64_t window_us = 1'000'000;
    friend bool operator==(fixed_window const&, fixed_window const&) = default;
};

using algorithm = std::variant<token_bucket, fixed_window>;

// Two words, read according to the algorithm. For every algorithm `until_us` is the instant (microseconds since the epoch)
// from which the state means the same as no state: what a store may drop, oldest first.
//   token_bucket: until_us + extra / interval_den = theoretical arrival time
//   fixed_window: until_us = end of the window (a whole millisecond), extra = permits used
struct counter_state {
    std::int64_t until_us = 0;
    std::int64_t extra = 0;
    friend bool operator==(counter_state const&, counter_state const&) = default;
};

struct advanced {
    limiter::decision decision; // what the caller is told if this limit's answer stands
    limiter::decision idle;     // what it is told if nothing is charged because another limit refuses
    counter_state next;         // the state after charging `cost`
    counter_state repaired;     // the state without charging, after clamping what a clock step or a lowered limit left behind
    bool needs_repair = false;  // `repaired` differs from what was stored and must be kept even when refused
};

// `state` null: an untouched counter. `cost` 0 only looks. A cost above the burst is refused with retry_after = never.
advanced advance(algorithm const& parameters, counter_state const* state, std::int64_t cost, base::instant now) noexcept;

// Gives back `cost` permits charged at `charged_at`: the exact inverse of a charge that nothing was admitted on, less what
// refilled since (time-decayed), so that charging and giving back never admits more than charging alone (limiting.md 4).
// False if there is nothing to give back.
bool refund(algorithm const& parameters, counter_state& state, std::int64_t cost, base::instant charged_at,
            base::instant now) noexcept;

// The most that can be admitted at once.
std::int64_t burst_of(algorithm const& parameters) noexcept;
// Time in which an exhausted counter is untouched again: the `w` of RateLimit-Policy, rounded up to whole seconds, >= 1.
std::int64_t window_seconds_of(algorithm const& parameters) noexcept;
// Distinguishes keys of different algorithms (and window lengths): "tb", "fw10s".
std::string tag_of(algorithm const& parameters);

} // namespace penstock::limiter
