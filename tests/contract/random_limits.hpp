// Limits, costs and steps of the clock at random, as histories of a store need them: of every algorithm, small and at the
// edges of what the configuration admits.
#pragma once

#include "limiter/algorithm.hpp"

#include <algorithm>
#include <random>
#include <span>
#include <string>

namespace penstock::tests {

using random_source = std::mt19937_64;

inline std::int64_t pick(random_source& random, std::int64_t least, std::int64_t most)
{
    return std::uniform_int_distribution{least, most}(random);
}
inline std::int64_t pick(random_source& random, std::initializer_list<std::int64_t> of)
{
    return of.begin()[pick(random, 0, static_cast<std::int64_t>(of.size()) - 1)];
}

// Days that are so long, around `origin`, at which one begins.
inline limiter::calendar short_days(base::instant origin, base::micros length)
{
    limiter::calendar days;
    for (int day = -100; day < 100; ++day) days.starts.push_back(base::since_epoch_us(origin + day * length));
    return days;
}

// The name of each algorithm, by its place in the variant.
inline constexpr char const* algorithm_names[] = {"token_bucket",    "periodic_bucket", "fixed_window",
                                                  "clock_window",    "calendar_window", "sliding_window",
                                                  "sliding_counter", "sliding_log",     "concurrency"};
inline constexpr std::size_t algorithm_count = std::variant_size_v<limiter::algorithm>;

// `which` as in algorithm_names.
inline limiter::algorithm random_limit(random_source& random, std::size_t which, limiter::calendar const& days)
{
    auto const large = pick(random, {1, 2, 5, 10, 100, 9'999, 10'000, 999'999, 1'000'000, 5'000'000, 1'000'000'000'000});
    auto const small = pick(random, {1, 2, 5, 10, 100});
    auto const window = base::micros{pick(random, {100'000, 999'000, 1'000'000, 10'000'000, 3'600'000'000})};
    for (;;) {
        switch (which) {
        case 0: {
            auto const capacity = pick(random, {1, 2, 5, 10, 100, 1000, 1'000'000});
            auto const refill = pick(random, {1, 3, 7, 10, 50, 60, 997, 5000, 99'991, 999'983, 1'000'000});
            auto const period = pick(random, {1'000, 1'000'000, 7'000'000, 30'000'000, 60'000'000, 3'600'000'000});
            if (auto const made = limiter::make_token_bucket(capacity, refill, base::micros{period})) return *made;
            break;
        }
        case 1: {
            auto const refill = pick(random, {1, 3, 10, 1'000'000, 5'000'000});
            if (auto const made = limiter::make_periodic_bucket(large, refill, window)) return *made;
            return *limiter::make_periodic_bucket(small, refill, window);
        }
        case 2: return *limiter::make_fixed_window(large, window);
        case 3: return *limiter::make_clock_window(large, window);
        case 4: return *limiter::make_calendar_window(large, days);
        case 5: return *limiter::make_sliding_window(large, base::micros{6'000'000}, pick(random, {2, 3, 10, 60}));
        case 6: return *limiter::make_sliding_counter(std::min<std::int64_t>(large, 1'000'000'000), window);
        case 7: return *limiter::make_sliding_log(small, window);
        default: return *limiter::make_concurrency(large);
        }
    }
}

// Another limit of the same kind in the same windows: what a key may meet when the configuration changes.
inline limiter::algorithm changed_limit(random_source& random, limiter::algorithm const& from, limiter::calendar const& days)
{
    for (;;) {
        auto const to = random_limit(random, from.index(), days);
        if (tag_of(to) == tag_of(from)) return to;
    }
}

inline std::int64_t random_cost(random_source& random, limiter::algorithm const& limit)
{
    auto const burst = limiter::burst_of(limit);
    switch (pick(random, 0, 9)) {
    case 0: return 0;
    case 1: return burst;
    case 2: return burst + 1;
    case 3: return pick(random, 1, burst);
    case 4: return std::min<std::int64_t>(burst, 999'999);
    default: return 1;
    }
}

inline std::int64_t random_step(random_source& random)
{
    // Most often shorter than the windows of random_limit(), so that what was charged still counts.
    return pick(random, 0,
                pick(random, {0, 1'000, 1'000, 50'000, 50'000, 500'000, 2'000'000, 12'000'000,
                              pick(random, 0, 9) == 0 ? 600'000'000 : 1'000}));
}
inline std::int64_t random_step_back(random_source& random)
{
    return -pick(random, 1, pick(random, {1'000, 100'000, 5'000'000, 400'000'000}));
}

} // namespace penstock::tests
