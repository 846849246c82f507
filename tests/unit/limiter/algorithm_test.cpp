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

TEST_CASE("burst, window and tag of an algorithm")
{
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
    };
    for (auto const& row : rows) {
        CAPTURE(row.name);
        CHECK(burst_of(row.what) == row.burst);
        CHECK(window_seconds_of(row.what) == row.window_seconds);
        CHECK(tag_of(row.what) == row.tag);
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
    std::array<algorithm, 2> const both{*make_token_bucket(10, 3, second), *make_fixed_window(10, second)};
    for (auto const& each : both) {
        CAPTURE(tag_of(each));
        auto const answer = advance(each, nullptr, INT64_MAX, now);
        CHECK(answer.decision == decision{.allowed = false, .remaining = 10, .reset_after = micros{0}, .retry_after = never});
        CHECK_FALSE(answer.needs_repair);
    }
}

TEST_CASE("what a limit tells while another refuses is its state uncharged")
{
    std::array<algorithm, 2> const both{*make_token_bucket(10, 10, second), *make_fixed_window(10, second)};
    for (auto const& each : both) {
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
