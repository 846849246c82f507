// What the configuration may ask for, and how algorithms are named. Their edges: algorithm_edges_test.cpp; row by row answers: tests/cases.
#include "limiter/algorithm.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>

namespace penstock::limiter {
namespace {

using base::micros;

constexpr base::instant now = base::at_epoch_us(1'700'000'000'000'000);

constexpr micros second{1'000'000};
constexpr micros hour{3'600'000'000};

} // namespace

TEST_CASE("a token bucket's interval is in lowest terms")
{
    struct row {
        std::string name;
        std::int64_t refill;
        micros period;
        token_bucket expected;
    };
    std::array const rows{
        row{"one a second", 1, second, {10, 1'000'000, 0, 1}},
        row{"50 in 30 s", 50, micros{30'000'000}, {10, 600'000, 0, 1}},
        row{"three a second", 3, second, {10, 333'333, 1, 3}},
        row{"30 in 10 s is three a second", 30, micros{10'000'000}, {10, 333'333, 1, 3}},
        row{"a million a second", 1'000'000, second, {10, 1, 0, 1}},
        row{"three million a second", 3'000'000, second, {10, 0, 1, 3}},
        row{"a prime a second", 999'983, second, {10, 1, 17, 999'983}},
    };
    for (auto const& row : rows) {
        CAPTURE(row.name);
        auto const made = make_token_bucket(10, row.refill, row.period);
        REQUIRE(made);
        CHECK(*made == row.expected);
    }
}

TEST_CASE("a token bucket that cannot be calculated exactly is not made")
{
    struct row {
        std::string name;
        std::int64_t capacity;
        std::int64_t refill;
        micros period;
        bool possible;
    };
    std::array const rows{
        row{"no capacity", 0, 1, second, false},
        row{"no refill", 1, 0, second, false},
        row{"no period", 1, 1, micros{0}, false},
        row{"negative", -1, 1, second, false},
        row{"71 years to refill", 2'251'799'813, 1, second, true},
        row{"a second more", 2'251'799'814, 1, second, false},
        row{"capacity times denominator above the bound", exact_bound / 3 + 1, 3'000'000, second, false},
        row{"a large bucket that is quick", exact_bound / 3 - 1, 3'000'000, second, true},
        row{"largest denominator", 1, exact_bound - 1, second, true},
        row{"a denominator too many", 2, exact_bound - 1, second, false},
        row{"everything largest", INT64_MAX, INT64_MAX, micros::max(), false},
    };
    for (auto const& row : rows) {
        CAPTURE(row.name);
        CHECK(make_token_bucket(row.capacity, row.refill, row.period).has_value() == row.possible);
    }
}

TEST_CASE("a fixed window is made of whole milliseconds, from 100 up, and at most 10^12 permits")
{
    struct row {
        std::string name;
        std::int64_t limit;
        micros window;
        bool possible;
    };
    std::array const rows{
        row{"usual", 10, micros{10'000'000}, true},
        row{"shortest", 1, micros{100'000}, true},
        row{"too short", 1, micros{99'000}, false},
        row{"half a millisecond", 1, micros{100'500}, false},
        row{"largest limit", 1'000'000'000'000, second, true},
        row{"limit too large", 1'000'000'000'001, second, false},
        row{"no limit", 0, second, false},
        row{"longest", 1, micros{longest_us / 1000 * 1000}, true},
        row{"too long", 1, micros{longest_us / 1000 * 1000 + 1000}, false},
    };
    for (auto const& row : rows) {
        CAPTURE(row.name);
        CHECK(make_fixed_window(row.limit, row.window).has_value() == row.possible);
    }
}

TEST_CASE("what the other algorithms are made of")
{
    struct row {
        std::string name;
        bool made;
        bool possible;
    };
    micros const longest{longest_us / 1000 * 1000};
    micros const ms{1'000};
    calendar const days;
    std::array const rows{
        row{"clock window: usual", make_clock_window(10, hour).has_value(), true},
        row{"clock window: half a millisecond", make_clock_window(10, micros{100'500}).has_value(), false},
        row{"clock window: too short", make_clock_window(10, 99 * ms).has_value(), false},
        row{"clock window: limit too large", make_clock_window(1'000'000'000'001, hour).has_value(), false},
        row{"calendar window: largest limit", make_calendar_window(1'000'000'000'000, days).has_value(), true},
        row{"calendar window: limit too large", make_calendar_window(1'000'000'000'001, days).has_value(), false},
        row{"calendar window: no limit", make_calendar_window(0, days).has_value(), false},
        row{"periodic bucket: usual", make_periodic_bucket(100, 10, second).has_value(), true},
        row{"periodic bucket: more refill than room", make_periodic_bucket(1, 10, second).has_value(), true},
        row{"periodic bucket: no refill", make_periodic_bucket(1, 0, second).has_value(), false},
        row{"periodic bucket: too short", make_periodic_bucket(1, 1, 99 * ms).has_value(), false},
        row{"periodic bucket: half a millisecond", make_periodic_bucket(1, 1, micros{100'500}).has_value(), false},
        row{"periodic bucket: longest to refill", make_periodic_bucket(2'251'799'813, 1, second).has_value(), true},
        row{"periodic bucket: a period longer", make_periodic_bucket(2'251'799'814, 1, second).has_value(), false},
        row{"periodic bucket: capacity too large", make_periodic_bucket(1'000'000'000'001, 1'000'000, second).has_value(),
            false},
        row{"periodic bucket: refill too large", make_periodic_bucket(1, 1'000'000'000'001, second).has_value(), false},
        row{"sliding window: usual", make_sliding_window(10, hour, 60).has_value(), true},
        row{"sliding window: one segment", make_sliding_window(10, hour, 1).has_value(), false},
        row{"sliding window: too many segments", make_sliding_window(10, hour, 61).has_value(), false},
        row{"sliding window: does not divide", make_sliding_window(10, second, 7).has_value(), false},
        row{"sliding window: segments of half a millisecond", make_sliding_window(10, micros{21'000}, 2).has_value(), false},
        row{"sliding window: shortest segments", make_sliding_window(10, 20 * ms, 2).has_value(), true},
        row{"sliding window: segments too short", make_sliding_window(10, 18 * ms, 2).has_value(), false},
        row{"sliding window: limit too large", make_sliding_window(1'000'000'000'001, hour, 2).has_value(), false},
        row{"sliding window: too long", make_sliding_window(1, 2 * longest, 2).has_value(), false},
        row{"sliding counter: largest limit", make_sliding_counter(1'000'000'000, longest).has_value(), true},
        row{"sliding counter: limit too large", make_sliding_counter(1'000'000'001, second).has_value(), false},
        row{"sliding counter: half a millisecond", make_sliding_counter(1, micros{100'500}).has_value(), false},
        row{"sliding log: longest", make_sliding_log(longest_log, longest).has_value(), true},
        row{"sliding log: too long", make_sliding_log(longest_log + 1, second).has_value(), false},
        row{"sliding log: half a millisecond", make_sliding_log(1, micros{100'500}).has_value(), false},
        row{"concurrency: usual", make_concurrency(1).has_value(), true},
        row{"concurrency: nothing", make_concurrency(0).has_value(), false},
        row{"concurrency: too many", make_concurrency(1'000'000'000'001).has_value(), false},
    };
    for (auto const& row : rows) {
        CAPTURE(row.name);
        CHECK(row.made == row.possible);
    }
}

TEST_CASE("a sliding counter's ticks are milliseconds, or a thousandth of a window that would have too many")
{
    CHECK(make_sliding_counter(1'000'000'000, hour)->tick_us == 1'000);
    CHECK(make_sliding_counter(1'000'000'000, 24 * hour)->tick_us == 86'400'000);
    CHECK(make_sliding_counter(100'000'000, 24 * hour)->tick_us == 1'000);

    auto const whole_day = base::at_epoch_us(86'400'000'000 * 20'000);
    algorithm const daily = *make_sliding_counter(1'000'000'000, 24 * hour);
    auto const full = advance(daily, nullptr, 1'000'000'000, whole_day);
    CHECK(advance(daily, &full.next, 1, whole_day).decision.retry_after == 24 * hour + micros{86'400'000});
    CHECK(advance(daily, &full.next, 500'000'000, whole_day + 36 * hour - micros{1}).decision.retry_after == micros{1});
    CHECK(advance(daily, &full.next, 500'000'000, whole_day + 36 * hour).decision.allowed);
}

TEST_CASE("shards add up to the whole, and none is empty")
{
    calendar const days;
    std::array<algorithm, 9> const all{
        *make_token_bucket(103, 10, second), *make_periodic_bucket(103, 11, second), *make_fixed_window(103, second),
        *make_clock_window(103, second),     *make_calendar_window(103, days),       *make_sliding_window(103, second, 4),
        *make_sliding_counter(103, second),  *make_sliding_log(103, second),         *make_concurrency(103)};
    for (auto const& whole : all) {
        std::int64_t permits = 0;
        for (unsigned i = 0; i < 4; ++i) {
            auto const shard = shard_of(whole, i, 4);
            REQUIRE(shard);
            CHECK(shard->index() == whole.index());
            CHECK(burst_of(*shard) == (i < 3 ? 26 : 25));
            if (!std::holds_alternative<periodic_bucket>(whole)) CHECK(window_seconds_of(*shard) == window_seconds_of(whole));
            permits += burst_of(*shard);
        }
        CHECK(permits == 103);
        CHECK_FALSE(shard_of(whole, 103, 104));
    }
    // 103 permits in 10.3 s, whatever the shard: the rates add up.
    CHECK(std::get<token_bucket>(*shard_of(all[0], 0, 4)) == *make_token_bucket(26, 260, micros{103'000'000}));
    CHECK(std::get<periodic_bucket>(*shard_of(all[1], 2, 4)) == periodic_bucket{26, 3, 1'000'000});
    CHECK(std::get<periodic_bucket>(*shard_of(all[1], 3, 4)) == periodic_bucket{25, 2, 1'000'000});
    CHECK_FALSE(shard_of(*make_periodic_bucket(100, 3, second), 3, 4)); // nothing to refill it with
}

TEST_CASE("another limit, all else alike")
{
    calendar const days;
    std::array<algorithm, 7> const all{*make_fixed_window(10, hour),
                                       *make_clock_window(10, hour),
                                       *make_calendar_window(10, days),
                                       *make_sliding_window(10, hour, 4),
                                       *make_sliding_counter(10, hour),
                                       *make_sliding_log(10, hour),
                                       *make_concurrency(10)};
    for (auto const& each : all) {
        CAPTURE(tag_of(each));
        auto const changed = with_limit(each, 25);
        REQUIRE(changed);
        CHECK(burst_of(*changed) == 25);
        CHECK(tag_of(*changed) == tag_of(each));
        CHECK(with_limit(*changed, 10) == each);
        CHECK_FALSE(with_limit(each, 0));
        CHECK_FALSE(with_limit(each, INT64_MAX));
    }
    CHECK(with_limit(*make_token_bucket(10, 5, second), 20) == algorithm{*make_token_bucket(20, 10, second)});
    CHECK(with_limit(*make_periodic_bucket(10, 5, second), 20) == algorithm{*make_periodic_bucket(20, 10, second)});
    CHECK_FALSE(with_limit(*make_periodic_bucket(10, 5, second), 15)); // 7.5 permits a period
    CHECK_FALSE(with_limit(*make_periodic_bucket(10, 5, second), INT64_MAX));
}

TEST_CASE("burst, window and tag of an algorithm")
{
    calendar const days{.unit = calendar_unit::day, .time_zone = "UTC", .starts = {}};
    calendar const weeks{.unit = calendar_unit::week, .time_zone = "UTC", .starts = {}};
    calendar const months{.unit = calendar_unit::month, .time_zone = "UTC", .starts = {}};
    struct row {
        std::string name;
        algorithm what;
        std::int64_t burst;
        std::int64_t window_seconds;
        std::string tag;
    };
    std::array const rows{
        row{"bucket", *make_token_bucket(200, 50, micros{30'000'000}), 200, 120, "tb"},
        row{"bucket, rounded up", *make_token_bucket(10, 3, second), 10, 4, "tb"},
        row{"quick bucket", *make_token_bucket(1, 1000, second), 1, 1, "tb"},
        row{"window", *make_fixed_window(10, micros{10'000'000}), 10, 10, "fw10s"},
        row{"short window", *make_fixed_window(10, micros{250'000}), 10, 1, "fw250ms"},
        row{"periodic bucket", *make_periodic_bucket(10, 3, micros{10'000'000}), 10, 40, "tbp10s"},
        row{"clock window", *make_clock_window(7, micros{10'000'000}), 7, 10, "cw10s"},
        row{"day", *make_calendar_window(7, days), 7, 86'400, "day"},
        row{"week", *make_calendar_window(7, weeks), 7, 604'800, "week"},
        row{"month", *make_calendar_window(7, months), 7, 2'678'400, "month"},
        row{"sliding window", *make_sliding_window(20, micros{30'000'000}, 3), 20, 30, "sw30s3"},
        row{"longest tag", *make_sliding_window(20, micros{2'251'799'813'640'000}, 60), 20, 2'251'799'814,
            "sw2251799813640ms60"},
        row{"sliding counter", *make_sliding_counter(20, micros{10'000'000}), 20, 10, "sc10s"},
        row{"sliding log", *make_sliding_log(20, micros{10'000'000}), 20, 10, "sl10s"},
        row{"concurrency", *make_concurrency(5), 5, 1, "cc"},
    };
    for (auto const& row : rows) {
        CAPTURE(row.name);
        CHECK(burst_of(row.what) == row.burst);
        CHECK(window_seconds_of(row.what) == row.window_seconds);
        CHECK(tag_of(row.what) == row.tag);
        CHECK(tag_of(row.what).size() <= longest_tag);
    }
}

} // namespace penstock::limiter
