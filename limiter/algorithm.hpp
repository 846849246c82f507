// The closed set of rate-limit algorithms: parameters, state and the one verb `advance`. An algorithm is a function of
// old state, cost and time; it knows no clock, map, lock or store, and never allocates. lua/lib/ holds its twins, which
// give the same answer to the bit. Pure.
//
// Time is integer microseconds; every rounding is against the caller. What is computed stays below 2^53 (the configuration
// refuses parameters that would not), because the twins calculate in doubles.
#pragma once

#include "base/clock.hpp"
#include "limiter/calendar.hpp"
#include "limiter/decision.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

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

// Token bucket that gains `refill` permits at the end of each `period_us`, never a part of it. A caller's periods begin at the
// whole millisecond of the first charge to a full bucket.
struct periodic_bucket {
    std::int64_t capacity = 1;
    std::int64_t refill = 1;
    std::int64_t period_us = 1'000'000;
    friend bool operator==(periodic_bucket const&, periodic_bucket const&) = default;
};

// At most `limit` permits within `window_us` from the whole millisecond in which a caller's first request falls; then anew.
struct fixed_window {
    std::int64_t limit = 1;
    std::int64_t window_us = 1'000'000;
    friend bool operator==(fixed_window const&, fixed_window const&) = default;
};

// The same in windows that are the clock's: [k * window_us, (k + 1) * window_us) since the epoch, for every caller.
struct clock_window {
    std::int64_t limit = 1;
    std::int64_t window_us = 1'000'000;
    friend bool operator==(clock_window const&, clock_window const&) = default;
};

// The same in days, weeks or months of a time zone.
struct calendar_window {
    std::int64_t limit = 1;
    limiter::calendar const* calendar = nullptr; // owned by the snapshot, never null
    friend bool operator==(calendar_window const&, calendar_window const&) = default;
};

// At most `limit` permits in the present segment and the `segments - 1` before it; segments are the clock's, as in
// clock_window. The window moves one segment at a time.
struct sliding_window {
    std::int64_t limit = 1;
    std::int64_t segment_us = 1'000'000;
    std::int64_t segments = 2;
    friend bool operator==(sliding_window const&, sliding_window const&) = default;
};

// Two windows of the clock: what the present one holds, and the one before it weighted by its overlap with the window that
// ends now. Time is read in whole ticks, and the overlap rounded up.
struct sliding_counter {
    std::int64_t limit = 1;
    std::int64_t window_us = 1'000'000;
    std::int64_t tick_us = 1'000; // divides window_us
    friend bool operator==(sliding_counter const&, sliding_counter const&) = default;
};

// At most `limit` permits in any window of this length: remembers the instant of each.
struct sliding_log {
    std::int64_t limit = 1;
    std::int64_t window_us = 1'000'000;
    friend bool operator==(sliding_log const&, sliding_log const&) = default;
};

// At most `limit` permits held at once. Given back by refund(), whenever their holder is done.
struct concurrency {
    std::int64_t limit = 1;
    friend bool operator==(concurrency const&, concurrency const&) = default;
};

using algorithm = std::variant<token_bucket, periodic_bucket, fixed_window, clock_window, calendar_window, sliding_window,
                               sliding_counter, sliding_log, concurrency>;

// Two words, read according to the algorithm. For every algorithm a state means the same as no state once the clock
// (microseconds since the epoch) has passed `until_us`: then a store may drop it, oldest first.
//   token_bucket: until_us + extra / interval_den = theoretical arrival time
//   fixed_window, clock_window, calendar_window: until_us = end of the window, extra = permits used, > 0
//   periodic_bucket, sliding_counter, concurrency: see their headers
struct counter_state {
    std::int64_t until_us = 0;
    std::int64_t extra = 0;
    friend bool operator==(counter_state const&, counter_state const&) = default;
};
// `until_us` of permits that are held: after every other counter's time, so that a store drops them last.
inline constexpr std::int64_t held_until_us = std::int64_t{1} << 53;

// What sliding_window and sliding_log remember: as many words as they need. `until_us` as above.
struct long_state {
    std::int64_t until_us = 0;
    std::vector<std::int64_t> words;
    friend bool operator==(long_state const&, long_state const&) = default;
};
bool keeps_long_state(algorithm const& parameters) noexcept;

// Of either kind; neither: an untouched counter.
using any_state = std::variant<std::monostate, counter_state, long_state>;

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
std::optional<clock_window> make_clock_window(std::int64_t limit, base::micros window);
// Nothing unless the limit is at most 10^12.
std::optional<calendar_window> make_calendar_window(std::int64_t limit, calendar const& of);
// Nothing unless the period is a whole number of milliseconds from 100 ms up, the time to refill at most `longest_us`, and both
// numbers of permits at most 10^12.
std::optional<periodic_bucket> make_periodic_bucket(std::int64_t capacity, std::int64_t refill, base::micros period);
// Nothing unless the window divides into 2 to 60 segments, each a whole number of milliseconds from 10 ms up, and the limit is
// at most 10^12.
std::optional<sliding_window> make_sliding_window(std::int64_t limit, base::micros window, std::int64_t segments);
// Nothing unless the window is a whole number of milliseconds, from 100 ms up, and the limit at most 10^9. A tick is a
// millisecond; a thousandth of the window where limit * ticks would otherwise not stay below 2^53.
std::optional<sliding_counter> make_sliding_counter(std::int64_t limit, base::micros window);
// Nothing unless the window is a whole number of milliseconds, from 100 ms up, and the limit at most `longest_log`.
std::optional<sliding_log> make_sliding_log(std::int64_t limit, base::micros window);
inline constexpr std::int64_t longest_log = 10'000; // permits, 8 bytes each
// Nothing unless the limit is at most 10^12.
std::optional<concurrency> make_concurrency(std::int64_t limit);

// When a permit that is held will be given back is not known: the wait that a refused caller is told.
inline constexpr base::micros permit_retry{1'000'000};

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

// The same for an algorithm that keeps a long state; `next` and `repaired` stay unset: see keep_charge and keep_repair.
advanced advance_long(algorithm const& parameters, long_state const* state, std::int64_t cost, base::instant now) noexcept;
// Makes of `state` what advance_long() of the same arguments meant by `next` (it allowed `cost` > 0) or by `repaired`.
void keep_charge(algorithm const& parameters, long_state& state, std::int64_t cost, base::instant now);
void keep_repair(algorithm const& parameters, long_state& state, base::instant now);

// A charge to be undone: what was taken, when, and the reset_after and lease_until that were answered then.
struct charge {
    std::int64_t cost = 0;
    base::instant at{};
    base::micros reset_after{0};
    base::instant lease_until{};
};

// Gives a charge back: its exact inverse if nothing was admitted on it, less what refilled since (time-decayed), so that
// charging and giving back never admits more than charging alone. False if there is nothing to give back: all of it has
// refilled, its window is over, or the clock went back meanwhile.
bool refund(algorithm const& parameters, counter_state& state, charge const& taken, base::instant now) noexcept;
bool refund(algorithm const& parameters, long_state& state, charge const& taken, base::instant now) noexcept;

// `parameters` divided over `shards` counters, the first of them getting one permit more each of what does not divide: their
// limits and rates add up to the whole. Nothing if a shard would have no permit, or the algorithm cannot be divided exactly.
std::optional<algorithm> shard_of(algorithm const& parameters, unsigned index, unsigned shards);

// The same limit with another number: a bucket keeps the time that it takes to refill. Nothing if that cannot be calculated
// exactly.
std::optional<algorithm> with_limit(algorithm const& parameters, std::int64_t limit) noexcept;

// The most that can be admitted at once.
std::int64_t burst_of(algorithm const& parameters) noexcept;
// Time in which an exhausted counter is untouched again: the `w` of RateLimit-Policy, rounded up to whole seconds, >= 1.
std::int64_t window_seconds_of(algorithm const& parameters) noexcept;
// Distinguishes keys of different algorithms (and window lengths): "tb", "tbp10s", "fw10s", "fw250ms", "cw10s", "day", "week",
// "month", "sw30s3", "sc10s", "sl10s", "cc". At most `longest_tag` bytes.
std::string tag_of(algorithm const& parameters);
inline constexpr std::size_t longest_tag = 20;

} // namespace penstock::limiter
