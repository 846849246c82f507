// lua/acquire.lua against its twin in C++: the scenarios of tests/cases, and random histories compared step by step.
#include "limiter/evaluate.hpp"
#include "tests/contract/redis_worker.hpp"
#include "tests/support/scenario.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>

namespace penstock::tests {
namespace {

using limiter::fixed_window;
using limiter::token_bucket;

// More than an hour ahead of the server's clock, so that no key dies before the test is done with it.
base::instant origin()
{
    auto const seconds = base::since_epoch_us(base::clock::now()) / 1'000'000;
    return base::at_epoch_us((seconds / 1000 + 5) * 1000 * 1'000'000);
}

// Redis deciding by the time that the test gives.
class timed_store {
public:
    timed_store() : worker_(with_clock()) { worker_.until_up(); }

    limiter::verdict acquire(std::span<limiter::claim const> asked, base::instant now)
    {
        now_ = now;
        auto answer = worker_.ask(asked);
        REQUIRE_MESSAGE(answer.has_value(), answer.error().message());
        return *answer;
    }
    redis_server& server() noexcept { return server_; }

private:
    limiter::redis_settings with_clock()
    {
        auto wanted = settings_for(server_);
        wanted.test_clock = &now_;
        return wanted;
    }
    base::instant now_{};
    redis_server server_;
    redis_worker worker_;
};

// The pure functions over a map.
class reference_store {
public:
    limiter::verdict acquire(std::span<limiter::claim const> asked, base::instant now)
    {
        std::vector<limiter::advanced> looks;
        for (auto const& claim : asked) {
            auto const found = counters_.find(std::string(claim.key.view()));
            auto const* state = found == counters_.end() ? nullptr : &found->second;
            looks.push_back(limiter::advance(claim.algorithm(), state, claim.cost, now));
        }
        auto const verdict = limiter::evaluate(asked, looks, now);
        for (std::size_t i = 0; i < asked.size(); ++i)
            if (auto const* keep = limiter::state_to_keep(asked[i], looks[i], verdict.allowed))
                counters_.insert_or_assign(std::string(asked[i].key.view()), *keep);
        return verdict;
    }

private:
    std::map<std::string, limiter::counter_state> counters_;
};

using random_source = std::mt19937_64;

std::int64_t pick(random_source& random, std::int64_t least, std::int64_t most)
{
    return std::uniform_int_distribution{least, most}(random);
}

limiter::algorithm random_bucket(random_source& random)
{
    static constexpr std::int64_t refills[] = {1, 3, 7, 10, 50, 60, 997, 5000, 99'991, 999'983, 1'000'000};
    static constexpr std::int64_t periods[] = {1'000, 1'000'000, 7'000'000, 30'000'000, 60'000'000, 3'600'000'000};
    static constexpr std::int64_t capacities[] = {1, 2, 5, 10, 100, 1000, 1'000'000};
    for (;;) {
        auto const made = limiter::make_token_bucket(capacities[pick(random, 0, 6)], refills[pick(random, 0, 10)],
                                                     base::micros{periods[pick(random, 0, 5)]});
        if (made) return *made;
    }
}

limiter::algorithm random_window(random_source& random)
{
    static constexpr std::int64_t limits[] = {1, 2, 5, 10, 100, 999'999, 1'000'000, 5'000'000, 1'000'000'000'000};
    static constexpr std::int64_t windows[] = {100'000, 999'000, 1'000'000, 10'000'000, 3'600'000'000};
    return *limiter::make_fixed_window(limits[pick(random, 0, 8)], base::micros{windows[pick(random, 0, 4)]});
}

std::int64_t random_cost(random_source& random, limiter::algorithm const& limit)
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

std::int64_t random_step(random_source& random)
{
    switch (pick(random, 0, 11)) {
    case 0: return 0;
    case 1: return -pick(random, 1, 100'000);
    case 2: return -pick(random, 1, 400'000'000);
    case 3: return pick(random, 1, 600'000'000);
    case 4: return pick(random, 1, 2'000'000);
    default: return pick(random, 1, 1000);
    }
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
    timed_store store;
    auto const start = origin();
    int number = 0;
    for (auto const& scenario : all_scenarios()) {
        auto const wrong = run(
            scenario, {[&](auto asked, auto now) { return store.acquire(asked, now); }, {}}, start,
            "case" + std::to_string(++number) + ":");
        for (auto const& line : wrong) FAIL_CHECK(line);
    }
    CHECK(number > 0);
}

TEST_CASE("Redis and the C++ twin give the same answer to the bit, over random histories")
{
    timed_store redis;
    reference_store twin;
    auto const seed = std::random_device{}();
    CAPTURE(seed);
    random_source random(seed);

    constexpr int counters = 12;
    std::vector<limiter::policy> policies(counters);
    auto const start = origin();
    auto now = start;
    for (int step = 0; step < 8'000; ++step) {
        now = std::max(now + base::micros{random_step(random)}, start - std::chrono::seconds(1000));
        for (int i = 0; i < counters; ++i) {
            auto const first = step == 0;
            if (!first && pick(random, 0, 200) != 0) continue;
            auto& policy = policies[static_cast<std::size_t>(i)];
            policy.quota.algorithm = i % 3 == 2 ? random_window(random) : random_bucket(random);
            policy.enforce = pick(random, 0, 4) == 0 ? limiter::enforcement::shadow : limiter::enforcement::enforce;
        }
        limiter::claims asked;
        auto const at = pick(random, 0, counters - 1);
        auto const count = pick(random, 1, 4);
        for (std::int64_t i = 0; i < count; ++i) {
            auto const which = static_cast<std::size_t>((at + i) % counters);
            auto& claim = asked.emplace_back();
            claim.policy = &policies[which];
            claim.cost = random_cost(random, policies[which].quota.algorithm);
            claim.key.append("twin:" + std::to_string(which));
        }
        CAPTURE(step);
        auto const expected = text_of(twin.acquire(asked, now));
        auto const answered = text_of(redis.acquire(asked, now));
        REQUIRE(answered == expected);
    }
}

TEST_CASE("whatever no limiter wrote counts as an untouched counter")
{
    timed_store store;
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
            store.server().command({"SET", "k", text});
            auto const verdict = store.acquire(claim->view(), now);
            CHECK(verdict.allowed);
            CHECK(verdict.decisions[0].remaining == 9);
            CHECK(store.acquire(claim->view(), now).decisions[0].remaining == 8);
        }
        store.server().command({"DEL", "k"});
        store.server().command({"HSET", "k", "field", "value"});
        CHECK(store.acquire(claim->view(), now).decisions[0].remaining == 9);
        CHECK(store.acquire(claim->view(), now).decisions[0].remaining == 8);
    }
}

} // namespace penstock::tests
