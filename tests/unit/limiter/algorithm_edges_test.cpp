// Answers at the edges: the largest numbers, the farthest instants, clocks that go back, and charges that are given back at once.
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
        auto const answer =
            keeps_long_state(each) ? advance_long(each, nullptr, INT64_MAX, now) : advance(each, nullptr, INT64_MAX, now);
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

TEST_CASE("a periodic bucket of any size is empty, not overflowed, when the clock goes far back")
{
    algorithm const large = *make_periodic_bucket(1'000'000'000'000, 1'000'000'000'000, micros{100'000});
    auto const charged = advance(large, nullptr, 1, now);
    auto const back = advance(large, &charged.next, 1, now - 480 * hour);
    CHECK_FALSE(back.decision.allowed);
    CHECK(back.decision.remaining == 0);
    CHECK(back.decision.retry_after <= micros{100'000});
    CHECK(back.needs_repair);
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
