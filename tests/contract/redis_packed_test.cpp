// Token buckets of one caller in one key: the same answers as from keys of their own, and as from the twin in C++.
#include "tests/contract/random_limits.hpp"
#include "tests/contract/reference_store.hpp"
#include "tests/contract/script_caller.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <limits>

namespace penstock::tests {
namespace {

using limiter::redis::counter_key;

// More than an hour ahead of the server's clock, so that no key dies before the test is done with it.
base::instant origin()
{
    auto const seconds = base::since_epoch_us(base::clock::now()) / 1'000'000;
    return base::at_epoch_us((seconds / 1000 + 5) * 1000 * 1'000'000);
}

std::string text_of(limiter::verdict const& v)
{
    auto text = std::to_string(base::since_epoch_us(v.now)) + (v.allowed ? " allowed " : " refused ") +
                std::to_string(v.allowed ? v.granted : 0);
    for (auto const& d : v.decisions)
        text += " [" + std::to_string(d.allowed) + " " + std::to_string(d.remaining) + " " +
                std::to_string(d.reset_after.count()) + " " + std::to_string(d.retry_after.count()) + "]";
    return text;
}

limiter::policy bucket(std::uint32_t id, std::int64_t capacity, std::int64_t refill, base::micros period)
{
    limiter::policy made;
    made.name = "limit" + std::to_string(id);
    made.quota.algorithm = *limiter::make_token_bucket(capacity, refill, period);
    made.packed_id = id;
    return made;
}

limiter::claim claim_of(limiter::policy const& policy, std::string const& identity, std::int64_t cost = 1)
{
    limiter::claim made;
    made.policy = &policy;
    made.cost = cost;
    made.key.append("rl:{" + identity + "}");
    made.identity_end = static_cast<std::uint8_t>(made.key.view().size());
    made.key.append(":" + policy.name + ":tb");
    return made;
}

std::int64_t remaining(script_caller& store, limiter::claim const& of, base::instant now)
{
    return store.acquire({&of, 1}, now).decisions[0].remaining;
}

} // namespace

TEST_CASE("packed or not, buckets answer as their twin does to the bit, over random histories")
{
    redis_server const for_packed;
    redis_server const for_apart;
    script_store packed(for_packed);
    script_store apart(for_apart);
    // A charge that was given back is forgotten by Redis and kept as an empty one by the twin; a clock that goes back to
    // before it would show the difference. So a history has the one or the other.
    for (auto const clock_goes_back : {true, false}) {
        reference_store twin;
        auto const seed = std::random_device{}();
        CAPTURE(seed);
        random_source random(seed);

        // Of each caller the first six limits are buckets in one key, the others have keys of their own.
        constexpr std::size_t callers = 3;
        constexpr std::size_t buckets = 6;
        constexpr std::size_t limits = buckets + 2;
        struct counter {
            limiter::policy in_one;
            limiter::policy alone;
            limiter::claim claim;
            std::vector<limiter::charge> charges;
        };
        auto const start = origin();
        auto const days = short_days(start, std::chrono::hours(1));
        auto const bucket_index = std::size_t{0};
        std::vector<counter> counters(callers * limits);
        for (std::size_t i = 0; i < counters.size(); ++i) {
            auto& of = counters[i];
            auto const which = i % limits;
            auto const algorithm = which < buckets ? bucket_index : which - buckets + 2;
            of.in_one.name = "limit" + std::to_string(which);
            of.in_one.quota.algorithm = random_limit(random, algorithm, days);
            if (which % 4 == 3) of.in_one.enforce = limiter::enforcement::shadow;
            of.alone = of.in_one;
            if (which < buckets) of.in_one.packed_id = 0xfffffff0U + static_cast<std::uint32_t>(which);
            auto const caller = std::to_string(i / limits) + "-" + std::to_string(seed) + (clock_goes_back ? "b" : "f");
            of.claim = claim_of(of.in_one, caller);
        }

        auto now = start;
        auto latest = start;
        for (int step = 0; step < 10'000; ++step) {
            CAPTURE(step);
            auto const back = clock_goes_back && pick(random, 0, 11) == 0;
            // By no more than what a bucket outlives its arrival time.
            now = std::max(now + base::micros{back ? random_step_back(random) : random_step(random)},
                           latest - std::chrono::seconds(2));
            latest = std::max(latest, now);
            auto const caller = static_cast<std::size_t>(pick(random, 0, callers - 1)) * limits;
            auto const any = [&]() -> counter& {
                return counters[caller + static_cast<std::size_t>(pick(random, 0, limits - 1))];
            };

            auto& changed = any();
            if (pick(random, 0, 20) == 0) {
                changed.in_one.quota.algorithm = changed_limit(random, changed.in_one.quota.algorithm, days);
                changed.alone.quota.algorithm = changed.in_one.quota.algorithm;
            }
            auto& given = any();
            if (!clock_goes_back && !given.charges.empty() && pick(random, 0, 2) == 0) {
                auto unpacked = given.claim;
                unpacked.policy = &given.alone;
                packed.give_back(given.claim, given.charges.back(), now);
                apart.give_back(unpacked, given.charges.back(), now);
                twin.give_back(given.claim, given.charges.back(), now);
                given.charges.pop_back();
            }

            // Some limits of the caller in any order, and sometimes one of another caller between.
            std::vector<counter*> met;
            auto const count = static_cast<std::size_t>(pick(random, {1, 1, 2, 3, 3, 5, 8}));
            while (met.size() < count) {
                auto& one = any();
                if (std::find(met.begin(), met.end(), &one) == met.end()) met.push_back(&one);
            }
            if (pick(random, 0, 5) == 0) {
                auto& other = counters[static_cast<std::size_t>(pick(random, 0, callers * limits - 1))];
                if (std::find(met.begin(), met.end(), &other) == met.end()) met.insert(met.begin() + 1, &other);
            }
            limiter::claims in_one;
            limiter::claims alone;
            for (auto* each : met) {
                in_one.push_back(each->claim);
                in_one.back().cost = random_cost(random, each->in_one.quota.algorithm);
                alone.push_back(in_one.back());
                alone.back().policy = &each->alone;
            }
            if (met.size() == 1 && pick(random, 0, 2) == 0 && in_one[0].cost > 0 &&
                met[0]->in_one.enforce == limiter::enforcement::enforce) {
                in_one[0].times = alone[0].times = static_cast<std::uint32_t>(pick(random, 2, 9));
            }
            auto const answer = packed.acquire(in_one, now);
            REQUIRE(text_of(answer) == text_of(apart.acquire(alone, now)));
            // Of requests alike as many are charged as were granted.
            in_one[0].cost *= std::max(answer.granted, 1U);
            auto expected = twin.acquire(in_one, now);
            if (expected.allowed) expected.granted = answer.granted;
            REQUIRE(text_of(answer) == text_of(expected));
            for (std::size_t i = 0; i < met.size(); ++i) {
                auto const& got = expected.decisions[i];
                if (!expected.allowed || !got.allowed || in_one[i].cost == 0) continue;
                auto& charges = met[i]->charges;
                charges.push_back({in_one[i].cost, now, got.reset_after});
                if (charges.size() > 10) charges.clear();
            }
        }
    }
}

TEST_CASE("what a caller's packed buckets hold is one key, which lives as long as the latest of them and forgets the untouched")
{
    redis_server const server;
    script_caller store(server);
    auto const fast = bucket(1, 10, 10, std::chrono::seconds(1));
    auto const slow = bucket(2, 100, 3, std::chrono::seconds(60));
    auto const thirds = bucket(3, 7, 3, std::chrono::seconds(1));
    std::string const key = "rl:{k=1}:tb";
    auto const now = origin();
    limiter::claim const asked[] = {claim_of(fast, "k=1"), claim_of(slow, "k=1"), claim_of(thirds, "k=1")};
    CHECK(store.acquire(asked, now).allowed);
    CHECK(server.command({"DBSIZE"}) == "1");
    CHECK(server.command({"STRLEN", key}) == "44");
    auto const expires = std::stoll(server.command({"PEXPIRETIME", key}));
    auto const slow_until = base::since_epoch_us(now) / 1000 + 20'000;
    CHECK(expires > slow_until);
    CHECK(expires <= slow_until + 4000);

    // Five seconds later only the slow one is touched.
    auto const later = now + std::chrono::seconds(5);
    CHECK(store.acquire({asked, 1}, later).allowed);
    CHECK(server.command({"STRLEN", key}) == "24");
    CHECK(std::stoll(server.command({"PEXPIRETIME", key})) == expires);
}

TEST_CASE("limits can be added, removed and reordered without touching what the others have counted")
{
    redis_server const server;
    script_caller store(server);
    auto const a = bucket(1, 10, 1, std::chrono::hours(1));
    auto const b = bucket(2, 20, 1, std::chrono::hours(1));
    auto const c = bucket(3, 30, 1, std::chrono::hours(1));
    auto const now = origin();
    auto const ask = [&](std::initializer_list<limiter::policy const*> of) {
        limiter::claims asked;
        for (auto const* policy : of) asked.push_back(claim_of(*policy, "k=1"));
        std::string left;
        for (auto const& d : store.acquire(asked, now).decisions) left += std::to_string(d.remaining) + " ";
        return left;
    };
    CHECK(ask({&a, &b}) == "9 19 ");
    CHECK(ask({&c, &b, &a}) == "29 18 8 ");
    CHECK(ask({&b}) == "17 ");
    CHECK(ask({&a, &c}) == "7 28 ");
    CHECK(ask({&a, &b, &c}) == "6 16 27 ");
}

TEST_CASE("a request that one packed bucket refuses writes nothing, whoever else passed")
{
    redis_server const server;
    script_caller store(server);
    auto const large = bucket(1, 10, 1, std::chrono::hours(1));
    auto const small = bucket(2, 1, 1, std::chrono::hours(1));
    auto other = bucket(0, 5, 1, std::chrono::hours(1));
    auto const now = origin();
    limiter::claim const asked[] = {claim_of(large, "k=1"), claim_of(other, "k=1"), claim_of(small, "k=1")};
    CHECK(store.acquire(asked, now).allowed);
    auto const held = [&] { return server.command({"DUMP", "rl:{k=1}:tb"}) + server.command({"GET", "rl:{k=1}:limit0:tb"}); };
    auto const before = held();
    auto const written = server.info("persistence", "rdb_changes_since_last_save");
    auto const all = store.acquire(asked, now);
    CHECK_FALSE(all.allowed);
    CHECK(all.decisions[0].remaining == 9);
    CHECK(all.decisions[1].remaining == 4);
    CHECK_FALSE(all.decisions[2].allowed);
    limiter::claim const two[] = {asked[0], asked[2]};
    auto const packed_only = store.acquire(two, now);
    CHECK_FALSE(packed_only.allowed);
    CHECK(packed_only.decisions[0].remaining == 9);
    CHECK_FALSE(store.acquire({asked + 2, 1}, now).allowed);
    CHECK(held() == before);
    CHECK(server.info("persistence", "rdb_changes_since_last_save") == written);
}

TEST_CASE("whatever no limiter wrote into a shared key counts as untouched buckets")
{
    redis_server const server;
    script_caller store(server);
    auto const whole = bucket(1, 10, 10, std::chrono::seconds(1));
    auto const thirds = bucket(2, 10, 3, std::chrono::seconds(1));
    auto const now = origin();
    auto const at = static_cast<double>(base::since_epoch_us(now) + 500'000);
    auto const entry = [](std::uint32_t id, std::initializer_list<double> numbers) {
        std::string bytes(sizeof id, '\0');
        std::memcpy(bytes.data(), &id, sizeof id);
        for (auto const number : numbers) bytes.append(reinterpret_cast<char const*>(&number), sizeof number);
        return bytes;
    };
    auto const nan = std::numeric_limits<double>::quiet_NaN();
    auto const infinite = std::numeric_limits<double>::infinity();
    auto const one = claim_of(whole, "k=1");
    auto const key = std::string(counter_key(one).view());
    CHECK(key == "rl:{k=1}:tb");
    for (std::uint32_t id : {1U, 2U}) {
        auto const& policy = id == 1 ? whole : thirds;
        auto const claim = claim_of(policy, "k=1");
        for (auto const& rubbish : {std::string(), std::string("rubbish"), std::string(200, 'x'), entry(id, {nan}),
                                    entry(id, {infinite}), entry(id, {-infinite, 0}), entry(id, {at + 0.5}), entry(id, {1e300}),
                                    entry(id, {-at, nan}), entry(id, {-at, 0.5}), entry(id, {-at, -1}), entry(id, {-at, 1e300}),
                                    entry(id, {5}), entry(id, {0}), entry(id, {}), std::string(3, '\0')}) {
            CAPTURE(rubbish);
            server.command({"SET", key, rubbish});
            store.give_back(claim, {1, now, base::micros{100'000}}, now);
            CHECK(remaining(store, claim, now) == 9);
            CHECK(remaining(store, claim, now) == 8);
        }
    }
    server.command({"DEL", key});
    server.command({"HSET", key, "field", "value"});
    CHECK(remaining(store, one, now) == 9);
    CHECK(remaining(store, one, now) == 8);
}

} // namespace penstock::tests
