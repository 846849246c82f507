// What the configuration may ask for, how algorithms are named, and their edges. Row by row answers: tests/cases.
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
        row{"periodic bucket: capacity too large", make_periodic_bucket(1'000'000'000'001, 1'000'000, second).has_value(), false},
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
    std::array<algorithm, 9> const all{*make_token_bucket(103, 10, second),     *make_periodic_bucket(103, 11, second),
                                       *make_fixed_window(103, second),         *make_clock_window(103, second),
                                       *make_calendar_window(103, days),        *make_sliding_window(103, second, 4),
                                       *make_sliding_counter(103, second),      *make_sliding_log(103, second),
                                       *make_concurrency(103)};
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
    std::array<algorithm, 7> const all{*make_fixed_window(10, hour),       *make_clock_window(10, hour),
                                       *make_calendar_window(10, days),    *make_sliding_window(10, hour, 4),
                                       *make_sliding_counter(10, hour),    *make_sliding_log(10, hour),
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
        row{"longest tag", *make_sliding_window(20, micros{2'251'799'813'640'000}, 60), 20, 2'251'799'814, "sw2251799813640ms60"},
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

TEST_CASE("the largest bucket still counts exactly in the year 2100")
{
    auto const year_2100 = base::at_epoch_us(4'102'444'800'000'000);
    algorithm const largest = *make_token_bucket(2'251'799'813, 1, second);
    auto const first = advance(largest, nullptr, 2'251'799'813, year_2100);
    REQUIRE(first.decision.allowed);
    CHECK(first.next.until_us < exact_bound);

    auto const refused = advance(largest, &first.next, 2'251'799'813, year_2100);
    CHECK_FALSE(refused.decision.allowed);
    CHECK(refused.decision.retry_after == 2'251'799'813 * second);

    auto const one = advance(largest, &first.next, 1, year_2100 + second);
    CHECK(one.decision.allowed);
    CHECK(one.decision.remaining == 0);
}

TEST_CASE("a cost of any size is answered, not overflowed")
{
    std::array<algorithm, 8> const all{*make_token_bucket(10, 3, second),   *make_periodic_bucket(10, 3, second),
                                       *make_fixed_window(10, second),      *make_clock_window(10, second),
                                       *make_sliding_window(10, second, 2), *make_sliding_counter(10, second),
                                       *make_sliding_log(10, second),       *make_concurrency(10)};
    for (auto const& each : all) {
        CAPTURE(tag_of(each));
        auto const answer = keeps_long_state(each) ? advance_long(each, nullptr, INT64_MAX, now)
                                                   : advance(each, nullptr, INT64_MAX, now);
        CHECK(answer.decision == decision{.allowed = false, .remaining = 10, .reset_after = micros{0}, .retry_after = never});
        CHECK_FALSE(answer.needs_repair);
    }
}

TEST_CASE("what a limit tells while another refuses is its state uncharged")
{
    std::array<algorithm, 6> const all{*make_token_bucket(10, 10, second), *make_periodic_bucket(10, 10, second),
                                       *make_fixed_window(10, second),     *make_clock_window(10, second),
                                       *make_sliding_counter(10, second),  *make_concurrency(10)};
    for (auto const& each : all) {
        CAPTURE(tag_of(each));
        auto const first = advance(each, nullptr, 4, now);
        CHECK(first.idle == decision{.allowed = true, .remaining = 10, .reset_after = micros{0}, .retry_after = micros{0}});
        auto const second_look = advance(each, &first.next, 3, now);
        CHECK(second_look.idle.remaining == 6);
        CHECK(second_look.idle.reset_after == first.decision.reset_after);
        auto const refused = advance(each, &first.next, 7, now);
        CHECK_FALSE(refused.decision.allowed);
        CHECK(refused.idle == refused.decision);
    }
}

TEST_CASE("an instant of the year 2100 and the longest windows stay below 2^53")
{
    auto const year_2100 = base::at_epoch_us(4'102'444'800'000'000);
    micros const longest{longest_us / 1000 * 1000};
    std::array<algorithm, 5> const all{*make_fixed_window(5, longest), *make_clock_window(5, longest),
                                       *make_periodic_bucket(5, 5, longest), *make_sliding_counter(5, longest),
                                       *make_periodic_bucket(1'000'000'000'000, 1'000'000'000'000, longest)};
    for (auto const& each : all) {
        CAPTURE(tag_of(each));
        auto const answer = advance(each, nullptr, burst_of(each), year_2100);
        REQUIRE(answer.decision.allowed);
        CHECK(answer.next.until_us < exact_bound);
        CHECK_FALSE(advance(each, &answer.next, 1, year_2100).decision.allowed);
        CHECK(advance(each, &answer.next, burst_of(each), year_2100 + answer.decision.reset_after).decision.allowed);
    }
}

TEST_CASE("a long log is not moved for every permit, and forgets what has left the window")
{
    algorithm const log = *make_sliding_log(100, second);
    long_state state;
    auto at = now;
    for (int i = 0; i < 10'000; ++i, at += second / 100) {
        REQUIRE(advance_long(log, &state, 1, at).decision.allowed);
        keep_charge(log, state, 1, at);
        REQUIRE(state.words.size() <= 2 * 100 + 2);
    }
    CHECK(state.words.capacity() <= 512);
}

TEST_CASE("a charge given back at once is as if it had never been")
{
    algorithm const bucket = *make_token_bucket(10, 3, second);
    auto const before = advance(bucket, nullptr, 2, now).next;
    auto const charged = advance(bucket, &before, 5, now);
    auto state = charged.next;
    CHECK(refund(bucket, state, {.cost = 5, .at = now, .reset_after = charged.decision.reset_after}, now));
    CHECK(state == before);

    algorithm const window = *make_fixed_window(10, hour);
    auto const opened = advance(window, nullptr, 2, now).next;
    auto const used = advance(window, &opened, 5, now + second);
    state = used.next;
    CHECK(refund(window, state, {.cost = 5, .at = now + second, .reset_after = used.decision.reset_after}, now + second));
    CHECK(state == opened);
}

TEST_CASE("what has refilled since the charge is not given back")
{
    algorithm const bucket = *make_token_bucket(10, 10, second);
    auto const charged = advance(bucket, nullptr, 10, now);
    charge const taken{.cost = 5, .at = now, .reset_after = charged.decision.reset_after};

    auto state = charged.next;
    CHECK(refund(bucket, state, taken, now + micros{200'000})); // 2 of the 5 have refilled
    CHECK(advance(bucket, &state, 0, now + micros{200'000}).decision.remaining == 5);

    state = charged.next;
    CHECK_FALSE(refund(bucket, state, taken, now + micros{500'000})); // all 5 have
    CHECK(state == charged.next);
}

TEST_CASE("a charge is not given back to what came after it")
{
    algorithm const window = *make_fixed_window(10, second);
    auto const charged = advance(window, nullptr, 5, now);
    charge const taken{.cost = 5, .at = now, .reset_after = charged.decision.reset_after};
    auto state = advance(window, &charged.next, 3, now + second).next; // the next window

    CHECK_FALSE(refund(window, state, taken, now + second));
    CHECK(state.extra == 3);

    state = charged.next;
    CHECK_FALSE(refund(window, state, taken, now + second));    // its window is over
    CHECK_FALSE(refund(window, state, taken, now - micros{1})); // the clock went back
    algorithm const bucket = *make_token_bucket(10, 10, second);
    state = advance(bucket, nullptr, 5, now).next;
    CHECK_FALSE(refund(bucket, state, {.cost = 5, .at = now, .reset_after = {}}, now - micros{1}));
    CHECK_FALSE(refund(bucket, state, {.cost = 0, .at = now, .reset_after = {}}, now));
    CHECK_FALSE(refund(bucket, state, {.cost = INT64_MAX, .at = now, .reset_after = {}}, now));
}

} // namespace penstock::limiter
