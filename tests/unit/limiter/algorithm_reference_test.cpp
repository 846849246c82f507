// Every algorithm that counts permits in windows, and the periodic bucket, against what its definition says of the list of
// permits that were admitted: no state, no shortcut. The seed is printed with each failure; every run takes a fixed one.
#include "limiter/algorithm.hpp"
#include "tests/unit/limiter/algorithm_definitions.hpp"
#include "tests/unit/limiter/algorithm_support.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

namespace penstock::limiter {
namespace {

using base::micros;
using tests::counter;
using tests::dice;
using tests::history;
using tests::permits;
using tests::reference;
using tests::sum_if;

constexpr std::uint64_t first_seed = 20'261'120;
constexpr int schedules = 15;
constexpr int requests = 150;
constexpr std::int64_t start_us = 1'700'000'000'000'000;

// Days of 23 to 25 hours.
calendar const& uneven_days()
{
    static calendar const made = [] {
        calendar result;
        auto at = start_us - 10 * 86'400'000'000;
        for (int i = 0; i < 4'000; ++i, at += (23 + i % 3) * 3'600'000'000) result.starts.push_back(at);
        return result;
    }();
    return made;
}

struct shape {
    std::string name;
    std::function<algorithm(dice&)> make;
    std::int64_t longest; // that a window of it is, about
};

std::vector<shape> const& shapes()
{
    auto const limit = [](dice& roll) { return roll.between(1, 30); };
    auto const window = [](dice& roll) { return micros{1000 * roll.between(100, 2'000)}; };
    static std::vector<shape> const all{
        {"fixed_window", [=](dice& roll) { return *make_fixed_window(limit(roll), window(roll)); }, 2'000'000},
        {"clock_window", [=](dice& roll) { return *make_clock_window(limit(roll), window(roll)); }, 2'000'000},
        {"calendar_window", [=](dice& roll) { return *make_calendar_window(limit(roll), uneven_days()); }, 86'400'000'000},
        {"sliding_window",
         [=](dice& roll) {
             auto const segments = roll.between(2, 12);
             return *make_sliding_window(limit(roll), micros{1000 * segments * roll.between(10, 500)}, segments);
         },
         3'000'000},
        {"sliding_counter", [=](dice& roll) { return *make_sliding_counter(limit(roll), window(roll)); }, 2'000'000},
        {"sliding_log", [=](dice& roll) { return *make_sliding_log(limit(roll), window(roll)); }, 2'000'000},
        {"periodic_bucket", [=](dice& roll) { return *make_periodic_bucket(limit(roll), roll.between(1, 35), window(roll)); },
         2'000'000},
    };
    return all;
}

shape const& shape_named(std::string const& name)
{
    return *std::find_if(shapes().begin(), shapes().end(), [&](shape const& each) { return each.name == name; });
}

std::int64_t any_step(dice& roll, shape const& of)
{
    switch (roll.between(0, 9)) {
    case 0: return 0;
    case 1: return roll.between(0, 3 * of.longest);
    case 2: return roll.between(0, of.longest);
    default: return roll.between(0, of.longest / 15);
    }
}

std::int64_t any_cost(dice& roll, algorithm const& how)
{
    return roll.one_in(3) ? roll.between(0, burst_of(how) + 1) : roll.between(1, 3);
}

} // namespace

TEST_CASE("every algorithm answers as its definition does: allowed, remaining, reset_after and retry_after")
{
    for (auto const& of : shapes()) {
        CAPTURE(of.name);
        for (auto seed = first_seed; seed < first_seed + schedules; ++seed) {
            CAPTURE(seed);
            dice roll{seed};
            auto const how = of.make(roll);
            reference expected;
            counter tested;
            auto at = start_us + roll.between(0, of.longest);
            for (int i = 0; i < requests; ++i) {
                at += any_step(roll, of);
                auto const cost = any_cost(roll, how);
                REQUIRE(tested.ask(how, cost, base::at_epoch_us(at)).decision == expected.ask(how, cost, at));
            }
        }
    }
}

TEST_CASE("the clock goes back, and the limit up and down: windows answer as their definition does")
{
    for (auto const* name : {"clock_window", "calendar_window", "sliding_window", "sliding_log"}) {
        CAPTURE(name);
        auto const& of = shape_named(name);
        for (auto seed = first_seed; seed < first_seed + schedules; ++seed) {
            CAPTURE(seed);
            dice roll{seed};
            auto how = of.make(roll);
            reference expected;
            counter tested;
            auto at = start_us;
            for (int i = 0; i < requests; ++i) {
                auto const step = any_step(roll, of);
                at += roll.one_in(8) ? -step : step;
                if (roll.one_in(20)) how = *with_limit(how, roll.between(1, 30));
                auto const cost = any_cost(roll, how);
                REQUIRE(tested.ask(how, cost, base::at_epoch_us(at)).decision == expected.ask(how, cost, at));
            }
        }
    }
}

TEST_CASE("what is given back is as if it had never been, where nothing refills")
{
    for (auto const* name : {"clock_window", "calendar_window", "sliding_window", "sliding_counter", "sliding_log"}) {
        CAPTURE(name);
        auto const& of = shape_named(name);
        for (auto seed = first_seed; seed < first_seed + schedules; ++seed) {
            CAPTURE(seed);
            dice roll{seed};
            auto const how = of.make(roll);
            reference expected;
            counter tested;
            std::vector<charge> taken;
            auto at = start_us;
            for (int i = 0; i < requests; ++i) {
                at += any_step(roll, of);
                auto const now = base::at_epoch_us(at);
                if (!taken.empty() && roll.one_in(2)) {
                    auto const which = taken.begin() + roll.between(0, static_cast<std::int64_t>(taken.size()) - 1);
                    tested.give_back(how, *which, now);
                    expected.give_back({base::since_epoch_us(which->at), which->cost});
                    taken.erase(which);
                }
                auto const cost = any_cost(roll, how);
                auto const got = tested.ask(how, cost, now).decision;
                REQUIRE(got == expected.ask(how, cost, at));
                if (got.allowed && cost > 0) taken.push_back({cost, now, got.reset_after});
            }
        }
    }
}

TEST_CASE("whatever happened before: refused until 1 us before retry_after, accepted at it, and no wait above the longest")
{
    for (auto const& of : shapes()) {
        CAPTURE(of.name);
        for (auto seed = first_seed; seed < first_seed + schedules; ++seed) {
            CAPTURE(seed);
            dice roll{seed};
            auto how = of.make(roll);
            counter tested;
            auto at = start_us;
            for (int i = 0; i < requests; ++i) {
                auto const step = any_step(roll, of);
                at += roll.one_in(8) ? -step : step;
                if (roll.one_in(20)) how = with_limit(how, roll.between(1, 30)).value_or(how);
                auto const cost = roll.between(1, burst_of(how));
                auto const now = base::at_epoch_us(at);
                auto const got = tested.ask(how, cost, now).decision;
                // The longest wait that an untouched counter can be brought to by one charge of everything.
                auto const longest = counter{}.look(how, burst_of(how), base::at_epoch_us(at)).decision.reset_after;
                if (!std::holds_alternative<fixed_window>(how)) CHECK(got.reset_after <= longest);
                if (got.allowed) continue;
                REQUIRE(got.retry_after > micros{0});
                CHECK_FALSE(tested.look(how, cost, now + got.retry_after - micros{1}).decision.allowed);
                CHECK(tested.look(how, cost, now + got.retry_after).decision.allowed);
            }
        }
    }
}

namespace {

// The most of `kept` within any interval of this length that ends with one of them, both ends counting unless `length` apart.
std::int64_t most_within(history const& kept, std::int64_t length)
{
    std::int64_t most = 0;
    for (auto const& last : kept)
        most = std::max(most, sum_if(kept, [&](auto at) { return at > last.at - length && at <= last.at; }));
    return most;
}

// What an algorithm promises of any interval, however it began.
void check_promise(algorithm const& how, history const& kept)
{
    if (auto const* a = std::get_if<sliding_log>(&how)) CHECK(most_within(kept, a->window_us) <= a->limit);
    if (auto const* a = std::get_if<sliding_window>(&how))
        CHECK(most_within(kept, a->segment_us * (a->segments - 1)) <= a->limit);
    if (auto const* a = std::get_if<sliding_counter>(&how)) CHECK(most_within(kept, a->window_us) < 2 * a->limit + 1);
    if (auto const* a = std::get_if<clock_window>(&how)) CHECK(most_within(kept, a->window_us) <= 2 * a->limit);
    if (auto const* a = std::get_if<fixed_window>(&how)) CHECK(most_within(kept, a->window_us) <= 2 * a->limit);
    if (auto const* a = std::get_if<periodic_bucket>(&how)) {
        for (std::int64_t periods = 1; periods < 10; ++periods)
            CHECK(most_within(kept, periods * a->period_us) <= a->capacity + periods * a->refill);
    }
}

} // namespace

TEST_CASE("never over on any interval, though charges are given back at any time")
{
    for (auto const& of : shapes()) {
        CAPTURE(of.name);
        for (auto seed = first_seed; seed < first_seed + schedules; ++seed) {
            CAPTURE(seed);
            dice roll{seed};
            auto const how = of.make(roll);
            history kept;
            counter tested;
            std::optional<charge> taken; // to be given back
            auto at = start_us;
            for (int i = 0; i < requests; ++i) {
                at += any_step(roll, of);
                auto const now = base::at_epoch_us(at);
                if (taken && roll.one_in(3)) {
                    tested.give_back(how, *taken, now);
                    taken.reset();
                }
                auto const cost = roll.between(1, burst_of(how));
                auto const got = tested.ask(how, cost, now).decision;
                if (!got.allowed) continue;
                if (taken || roll.one_in(2))
                    kept.push_back({at, cost});
                else
                    taken = charge{cost, now, got.reset_after};
            }
            check_promise(how, kept);
        }
    }
}

TEST_CASE("given back at once it is as before, now and later")
{
    for (auto const& of : shapes()) {
        CAPTURE(of.name);
        for (auto seed = first_seed; seed < first_seed + schedules; ++seed) {
            CAPTURE(seed);
            dice roll{seed};
            auto const how = of.make(roll);
            counter tested;
            auto at = start_us;
            for (int i = 0; i < requests; ++i) {
                at += any_step(roll, of);
                auto const now = base::at_epoch_us(at);
                auto const before = tested;
                auto const cost = roll.between(1, burst_of(how));
                auto const got = tested.ask(how, cost, now).decision;
                if (!got.allowed || roll.one_in(3)) continue;
                REQUIRE(tested.give_back(how, {cost, now, got.reset_after}, now));
                for (auto const then : {now, now + micros{roll.between(0, of.longest)}}) {
                    CHECK(tested.look(how, 0, then).decision == before.look(how, 0, then).decision);
                    CHECK(tested.look(how, cost, then).decision == before.look(how, cost, then).decision);
                }
            }
        }
    }
}

TEST_CASE("concurrency admits what is not held, whatever the clock says")
{
    for (auto seed = first_seed; seed < first_seed + schedules; ++seed) {
        CAPTURE(seed);
        dice roll{seed};
        algorithm how = *make_concurrency(roll.between(1, 30));
        counter tested;
        std::vector<charge> taken;
        std::int64_t held = 0;
        auto at = start_us;
        for (int i = 0; i < requests; ++i) {
            at += roll.between(-1'000'000, 1'000'000);
            if (roll.one_in(20)) how = *with_limit(how, roll.between(1, 30));
            auto const now = base::at_epoch_us(at);
            if (!taken.empty() && roll.one_in(2)) {
                held -= taken.back().cost;
                CHECK(tested.give_back(how, taken.back(), now));
                taken.pop_back();
            }
            auto const cost = any_cost(roll, how);
            auto const got = tested.ask(how, cost, now).decision;
            REQUIRE(got.allowed == (cost == 0 || held + cost <= burst_of(how)));
            if (got.allowed) held += cost;
            if (got.allowed && cost > 0) taken.push_back({cost, now, got.reset_after});
            CHECK(got.remaining == std::max<std::int64_t>(burst_of(how) - held, 0));
            CHECK(got.reset_after == micros{0});
            if (!got.allowed) CHECK(got.retry_after == (cost > burst_of(how) ? never : permit_retry));
            CHECK((tested.state && tested.state->until_us == held_until_us) == (held > 0));
        }
    }
}

} // namespace penstock::limiter
