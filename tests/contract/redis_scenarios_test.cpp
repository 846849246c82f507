// lua/acquire.lua against its twin in C++: the scenarios of tests/cases, and random histories compared step by step.
#include "tests/contract/random_limits.hpp"
#include "tests/contract/redis_worker.hpp"
#include "tests/contract/reference_store.hpp"
#include "tests/contract/script_caller.hpp"
#include "tests/support/scenario.hpp"

#include <doctest/doctest.h>

namespace penstock::tests {
namespace {

// More than an hour ahead of the server's clock, so that no key dies before the test is done with it.
base::instant origin()
{
    auto const seconds = base::since_epoch_us(base::clock::now()) / 1'000'000;
    return base::at_epoch_us((seconds / 1000 + 5) * 1000 * 1'000'000);
}

std::string text_of(limiter::verdict const& v)
{
    auto text = std::to_string(base::since_epoch_us(v.now)) + (v.allowed ? " allowed" : " refused");
    for (auto const& d : v.decisions)
        text += " [" + std::to_string(d.allowed) + " " + std::to_string(d.remaining) + " " +
                std::to_string(d.reset_after.count()) + " " + std::to_string(d.retry_after.count()) + "]";
    return text;
}

} // namespace

TEST_CASE("Redis answers every scenario of tests/cases as written")
{
    redis_server const server;
    script_store redis(server);
    asked_store const store{
        [&](auto asked, auto now) { return redis.acquire(asked, now); },
        [&](auto const& what, auto const& taken, auto now) { redis.give_back(what, taken, now); },
    };
    int number = 0;
    for (auto const& scenario : all_scenarios()) {
        auto const wrong = run(scenario, store, origin(), "case" + std::to_string(++number) + ":");
        for (auto const& line : wrong) FAIL_CHECK(line);
    }
    CHECK(number > 0);
}

TEST_CASE("Redis and the C++ twin give the same answer to the bit, over random histories")
{
    // A charge that was given back is forgotten by Redis and kept as an empty one by the twin; a clock that goes back to
    // before it would show the difference. So a history has the one or the other.
    for (auto const clock_goes_back : {true, false}) {
        redis_server const server;
        script_store redis(server);
        reference_store twin;
        auto const seed = std::random_device{}();
        CAPTURE(seed);
        random_source random(seed);

        struct counter {
            limiter::policy policy;
            limiter::claim claim;
            std::vector<limiter::charge> charges;
        };
        auto const start = origin();
        auto const days = short_days(start, std::chrono::hours(1));
        std::vector<counter> counters(3 * algorithm_count);
        auto const renew = [&](std::size_t which) {
            auto& of = counters[which];
            of.policy.quota.algorithm = random_limit(random, which % algorithm_count, days);
            of.policy.enforce = pick(random, 0, 4) == 0 ? limiter::enforcement::shadow : limiter::enforcement::enforce;
            of.claim.policy = &of.policy;
            of.claim.key = {};
            of.claim.key.append("twin:" + std::to_string(which) + ":" + std::to_string(random()));
            of.charges.clear();
        };
        for (std::size_t i = 0; i < counters.size(); ++i) renew(i);

        auto now = start;
        for (int step = 0; step < 12'000; ++step) {
            auto const back = clock_goes_back && pick(random, 0, 11) == 0;
            now = std::max(now + base::micros{back ? random_step_back(random) : random_step(random)},
                           start - std::chrono::seconds(1000));
            // One algorithm's turn, in which its counters are met often enough to fill.
            auto const focus = static_cast<std::size_t>(step) / 200 % algorithm_count;
            auto const first = focus + algorithm_count * static_cast<std::size_t>(pick(random, 0, 2));
            CAPTURE(step);
            CAPTURE(std::string(algorithm_names[first % algorithm_count]));
            auto& one = counters[first];
            if (pick(random, 0, 60) == 0) renew(first);
            if (pick(random, 0, 20) == 0) one.policy.quota.algorithm = changed_limit(random, one.policy.quota.algorithm, days);
            if (!clock_goes_back && !one.charges.empty() && pick(random, 0, 2) == 0) {
                auto const any = pick(random, 0, static_cast<std::int64_t>(one.charges.size()) - 1);
                std::swap(one.charges[static_cast<std::size_t>(any)], one.charges.back());
                redis.give_back(one.claim, one.charges.back(), now);
                twin.give_back(one.claim, one.charges.back(), now);
                one.charges.pop_back();
                if (one.charges.size() > 10) one.charges.clear();
            }
            limiter::claims asked;
            auto const count = pick(random, {1, 1, 2, 3, 4});
            for (std::int64_t i = 0; i < count; ++i) {
                auto const& of = counters[(first + static_cast<std::size_t>(i)) % counters.size()];
                asked.push_back(of.claim);
                asked.back().cost = random_cost(random, of.policy.quota.algorithm);
            }
            auto const expected = twin.acquire(asked, now);
            REQUIRE(text_of(redis.acquire(asked, now)) == text_of(expected));
            for (std::size_t i = 0; i < asked.size(); ++i) {
                auto const& got = expected.decisions[i];
                if (expected.allowed && got.allowed && asked[i].cost > 0)
                    counters[(first + i) % counters.size()].charges.push_back({asked[i].cost, now, got.reset_after});
            }
        }
    }
}

TEST_CASE("whatever no limiter wrote counts as an untouched counter")
{
    redis_server const server;
    script_caller store(server);
    auto const now = origin();
    auto const at_us = std::to_string(base::since_epoch_us(now) + 500'000);
    auto const end = at_us.substr(0, 13); // of a window, in milliseconds
    std::vector<std::string> const rubbish = {"",
                                              "rubbish",
                                              "nan",
                                              "inf",
                                              "-inf",
                                              "-5",
                                              "1e99",
                                              "99999999999999999999",
                                              at_us + ":",
                                              ":5",
                                              at_us + ":-1",
                                              "5:5:5",
                                              "00000000000000000001",
                                              "rubbishrubbishrubbi",
                                              "1:2",
                                              "not a number:3",
                                              end + ":5",
                                              end + ":0000005",
                                              end + ":10000000000000",
                                              end + ":1000000x",
                                              "0" + end + ":1000000",
                                              end + "|1000000",
                                              end.substr(1) + ":10000000"};
    one_claim const whole{*limiter::make_token_bucket(10, 10, base::micros{1'000'000}), "k"};
    one_claim const rational{*limiter::make_token_bucket(10, 7, base::micros{1'000'000}), "k"};
    one_claim const window{*limiter::make_fixed_window(10, base::micros{1'000'000}), "k"};
    for (auto const* claim : {&whole, &rational, &window}) {
        for (auto const& text : rubbish) {
            CAPTURE(text);
            server.command({"SET", "k", text});
            auto const verdict = store.acquire(claim->view(), now);
            CHECK(verdict.allowed);
            CHECK(verdict.decisions[0].remaining == 9);
            CHECK(store.acquire(claim->view(), now).decisions[0].remaining == 8);
        }
        server.command({"DEL", "k"});
        server.command({"HSET", "k", "field", "value"});
        CHECK(store.acquire(claim->view(), now).decisions[0].remaining == 9);
        CHECK(store.acquire(claim->view(), now).decisions[0].remaining == 8);
    }
}

} // namespace penstock::tests
