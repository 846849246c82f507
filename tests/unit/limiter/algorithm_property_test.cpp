// Token buckets and fixed windows on random schedules. The seed is printed with each failure; every run takes a fixed one.
#include "limiter/algorithm.hpp"
#include "tests/unit/limiter/algorithm_support.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <optional>

namespace penstock::limiter {
namespace {

__extension__ using wide = __int128;

using base::micros;
using tests::counter;
using tests::dice;

constexpr std::uint64_t first_seed = 20'240'601;
constexpr int schedules = 300;
constexpr int requests = 400;

// A bucket's parameters as they were asked for.
struct bucket_shape {
    std::int64_t capacity;
    std::int64_t refill;
    std::int64_t period;

    [[nodiscard]] std::optional<token_bucket> made() const { return make_token_bucket(capacity, refill, micros{period}); }
    // Time in which the whole bucket refills, at least.
    [[nodiscard]] std::int64_t whole() const { return static_cast<std::int64_t>(wide{capacity} * period / refill); }
};

bucket_shape any_bucket(dice& roll)
{
    for (;;) {
        bucket_shape const shape{roll.between(1, 1000), roll.magnitude(2'000'000), roll.magnitude(100'000'000)};
        if (shape.made()) return shape;
    }
}

// The level of a bucket in units of 1 / period permits, where it may go below zero: the lowest level seen is the worst
// excess over capacity + rate * t on any interval.
class shadow_bucket {
public:
    explicit shadow_bucket(bucket_shape const& shape) : shape_(shape), level_(full()) {}

    void admit(std::int64_t cost, std::int64_t at)
    {
        level_ = std::min(full(), level_ + wide{at - last_} * shape_.refill);
        last_ = at;
        level_ -= wide{cost} * shape_.period;
        lowest_ = std::min(lowest_, level_);
    }
    [[nodiscard]] bool never_below_zero() const { return lowest_ >= 0; }

private:
    [[nodiscard]] wide full() const { return wide{shape_.capacity} * shape_.period; }

    bucket_shape shape_;
    wide level_;
    wide lowest_ = 0;
    std::int64_t last_ = 0;
};

// GCRA in one fraction, theoretical arrival * refill, without any rounding inside.
class reference_gcra {
public:
    explicit reference_gcra(bucket_shape const& shape) : shape_(shape) {}

    decision ask(std::int64_t cost, std::int64_t at)
    {
        auto const now = wide{at} * shape_.refill;
        auto const horizon = now + wide{shape_.capacity} * shape_.period;
        arrival_ = std::min(std::max(arrival_, now), horizon);
        auto const charged = arrival_ + wide{cost} * shape_.period;
        decision answer;
        answer.allowed = charged <= horizon;
        if (!answer.allowed) answer.retry_after = cost > shape_.capacity ? never : micros{up(charged - horizon)};
        if (answer.allowed) arrival_ = charged;
        answer.remaining = static_cast<std::int64_t>((horizon - arrival_) / shape_.period);
        answer.reset_after = micros{up(arrival_ - now)};
        return answer;
    }

private:
    [[nodiscard]] std::int64_t up(wide scaled) const
    {
        return static_cast<std::int64_t>((scaled + shape_.refill - 1) / shape_.refill);
    }

    bucket_shape shape_;
    wide arrival_ = 0;
};

constexpr std::int64_t start_us = 1'700'000'000'000'000;

} // namespace

TEST_CASE("a token bucket answers like exact fractions, and never admits more than burst + rate * t on any interval")
{
    for (auto seed = first_seed; seed < first_seed + schedules; ++seed) {
        CAPTURE(seed);
        dice roll{seed};
        auto const shape = any_bucket(roll);
        algorithm const bucket = *shape.made();
        reference_gcra reference{shape};
        shadow_bucket shadow{shape};
        counter tested;
        auto at = start_us;
        for (int i = 0; i < requests; ++i) {
            at += roll.one_in(3) ? 0 : roll.between(0, shape.whole() / roll.between(1, shape.capacity) + 1);
            auto const cost = roll.one_in(4) ? roll.between(0, shape.capacity + 1) : 1;
            auto const got = tested.ask(bucket, cost, base::at_epoch_us(at)).decision;
            REQUIRE(got == reference.ask(cost, at));
            if (got.allowed) shadow.admit(cost, at);
        }
        REQUIRE(shadow.never_below_zero());
    }
}

TEST_CASE("a token bucket answers like exact fractions while the clock goes back and forth")
{
    for (auto seed = first_seed; seed < first_seed + schedules; ++seed) {
        CAPTURE(seed);
        dice roll{seed};
        auto const shape = any_bucket(roll);
        algorithm const bucket = *shape.made();
        reference_gcra reference{shape};
        counter tested;
        auto at = start_us;
        for (int i = 0; i < requests; ++i) {
            auto const step = roll.between(0, shape.whole() / 2 + 1);
            at += roll.one_in(10) ? -3 * step : step;
            auto const cost = roll.between(1, shape.capacity);
            REQUIRE(tested.ask(bucket, cost, base::at_epoch_us(at)).decision == reference.ask(cost, at));
        }
    }
}

TEST_CASE("a refused request is refused until 1 us before retry_after and accepted at it")
{
    for (auto seed = first_seed; seed < first_seed + schedules; ++seed) {
        CAPTURE(seed);
        dice roll{seed};
        auto const shape = any_bucket(roll);
        auto const window = *make_fixed_window(roll.between(1, 1000), micros{1000 * roll.between(100, 1'000'000)});
        algorithm const how = seed % 2 == 0 ? algorithm{*shape.made()} : algorithm{window};
        auto const length = seed % 2 == 0 ? shape.whole() : window.window_us;
        counter tested;
        auto at = start_us;
        for (int i = 0; i < requests; ++i) {
            at += roll.between(0, length / burst_of(how) + 1);
            auto const cost = roll.between(1, burst_of(how));
            auto const now = base::at_epoch_us(at);
            auto const got = tested.ask(how, cost, now);
            if (got.decision.allowed) continue;
            auto const& wait = got.decision.retry_after;
            REQUIRE(tested.state);
            CHECK_FALSE(advance(how, &*tested.state, cost, now + wait - micros{1}).decision.allowed);
            CHECK(advance(how, &*tested.state, cost, now + wait).decision.allowed);
        }
    }
}

TEST_CASE("RL-14: windows of one counter meet without overlap, each as long as configured and at most full")
{
    for (auto seed = first_seed; seed < first_seed + schedules; ++seed) {
        CAPTURE(seed);
        dice roll{seed};
        auto const window = *make_fixed_window(roll.between(1, 50), micros{1000 * roll.between(100, 10'000)});
        counter tested;
        auto at = start_us;
        std::int64_t end = 0;
        std::int64_t admitted = 0;
        for (int i = 0; i < requests; ++i) {
            at += roll.between(0, window.window_us / 20);
            auto const cost = roll.one_in(3) ? roll.between(1, window.limit) : 1;
            auto const got = tested.ask(window, cost, base::at_epoch_us(at)).decision;
            REQUIRE(got.reset_after.count() <= window.window_us);
            if (!got.allowed) continue;
            if (at >= end) {
                auto const begin = at - at % 1000;
                REQUIRE(begin >= end);
                end = at + got.reset_after.count();
                REQUIRE(end - begin == window.window_us);
                admitted = 0;
            }
            admitted += cost;
            REQUIRE(admitted <= window.limit);
            REQUIRE(got.remaining == window.limit - admitted);
        }
    }
}

TEST_CASE("charging and giving back never admits more than charging alone, whatever was admitted in between")
{
    for (auto seed = first_seed; seed < first_seed + schedules; ++seed) {
        CAPTURE(seed);
        dice roll{seed};
        auto const shape = any_bucket(roll);
        algorithm const bucket = *shape.made();
        shadow_bucket shadow{shape}; // of the charges that stay
        counter tested;
        std::optional<charge> taken; // to be given back
        auto at = start_us;
        for (int i = 0; i < requests; ++i) {
            at += roll.between(0, shape.whole() / shape.capacity + 1);
            auto const now = base::at_epoch_us(at);
            if (taken && roll.one_in(3)) {
                refund(bucket, *tested.state, *taken, now);
                taken.reset();
            }
            auto const cost = roll.between(1, shape.capacity);
            auto const got = tested.ask(bucket, cost, now).decision;
            if (!got.allowed) continue;
            if (taken || roll.one_in(2))
                shadow.admit(cost, at);
            else
                taken = charge{.cost = cost, .at = now, .reset_after = got.reset_after};
        }
        REQUIRE(shadow.never_below_zero());
    }
}

TEST_CASE("parameters changed live: never more than the larger burst, and the new rate from then on")
{
    for (auto seed = first_seed; seed < first_seed + schedules; ++seed) {
        CAPTURE(seed);
        dice roll{seed};
        counter tested;
        auto at = start_us;
        for (int change = 0; change < 10; ++change) {
            auto const shape = any_bucket(roll);
            algorithm const bucket = *shape.made();
            shadow_bucket shadow{shape}; // of the time with these parameters
            for (int i = 0; i < requests / 10; ++i) {
                at += roll.between(0, shape.whole() / shape.capacity + 1);
                auto const got = tested.ask(bucket, 1, base::at_epoch_us(at)).decision;
                if (got.allowed) shadow.admit(1, at);
                REQUIRE(got.remaining <= shape.capacity);
                REQUIRE(got.reset_after.count() <= shape.whole() + 1);
            }
            REQUIRE(shadow.never_below_zero());
        }
    }
}

} // namespace penstock::limiter
