// What the scripts promise beyond single answers, for every algorithm: several requests alike in one call, keys that die by
// themselves, garbage, and permits of holders that die and come back.
#include "tests/contract/random_limits.hpp"
#include "tests/contract/reference_store.hpp"
#include "tests/contract/script_caller.hpp"

#include <doctest/doctest.h>

namespace penstock::tests {
namespace {

using limiter::redis::holding;

constexpr auto hour = std::chrono::hours(1);

// So far ahead of the server's clock that no key dies before the test is done with it; on a whole second.
base::instant next_day()
{
    auto const day = base::clock::now() + 24 * hour;
    return day - day.time_since_epoch() % std::chrono::seconds(1);
}

limiter::claim claim_of(limiter::policy const& policy, std::string const& key, std::int64_t cost)
{
    limiter::claim claim;
    claim.policy = &policy;
    claim.key.append(key);
    claim.cost = cost;
    return claim;
}

limiter::decision ask(script_caller& redis, limiter::claim const& one, base::instant now, holding by = {.holder = 1, .held = 0})
{
    return redis.acquire({&one, 1}, now, {&by, 1}).decisions[0];
}

// Keys in all, and those that would stay for ever.
std::string keys_and_immortals(redis_server const& server)
{
    return server.command({"EVAL",
                           "local immortal, keys = 0, redis.call('KEYS', '*') "
                           "for _, key in ipairs(keys) do if redis.call('PTTL', key) < 0 then immortal = immortal + 1 end end "
                           "return #keys .. ' keys, ' .. immortal .. ' immortal'",
                           "0"});
}

} // namespace

TEST_CASE("of several requests alike as many are granted as would have been one by one")
{
    redis_server const server;
    script_caller redis(server);
    auto const seed = std::random_device{}();
    CAPTURE(seed);
    random_source random(seed);
    auto const start = next_day();
    auto const days = short_days(start, hour);
    for (int round = 0; round < 1000; ++round) {
        auto const which = static_cast<std::size_t>(round) % algorithm_count;
        CAPTURE(std::string(algorithm_names[which]));
        limiter::policy policy;
        policy.quota.algorithm = random_limit(random, which, days);
        auto const burst = limiter::burst_of(policy.quota.algorithm);
        auto const key = "alike:" + std::to_string(round);
        auto const now = start + base::micros{pick(random, 0, 1'000'000)};
        reference_store twin;
        auto const before = claim_of(policy, key, pick(random, 0, burst));
        ask(redis, before, now);
        twin.acquire({&before, 1}, now);

        auto const cost = pick(random, {0, 1, 2, std::max<std::int64_t>(burst / 3, 1), burst, burst + 1});
        auto const times = static_cast<std::uint32_t>(pick(random, 2, 20));
        auto one = claim_of(policy, key, cost);
        auto const later = now + base::micros{pick(random, 0, 200'000)};
        std::uint32_t granted = 0;
        limiter::verdict last;
        for (std::uint32_t i = 0; i < times; ++i) {
            auto const verdict = twin.acquire({&one, 1}, later);
            if (verdict.allowed || i == 0) last = verdict;
            if (verdict.allowed) ++granted;
        }
        one.times = times;
        holding const by{.holder = 1, .held = 0};
        auto const got = redis.acquire({&one, 1}, later, {&by, 1});
        CHECK(got.granted == granted);
        CHECK(got.allowed == (granted > 0));
        CHECK(got.decisions[0] == last.decisions[0]);
        auto const look = claim_of(policy, key, 0);
        CHECK(ask(redis, look, later) == twin.acquire({&look, 1}, later).decisions[0]);
    }
}

TEST_CASE("an instant that had left a sliding log counts no more, though it still stands there and the clock goes back")
{
    redis_server const server;
    script_caller redis(server);
    reference_store twin;
    limiter::policy policy;
    policy.quota.algorithm = *limiter::make_sliding_log(10, std::chrono::seconds(10));
    auto const one = claim_of(policy, "log", 1);
    auto const day = next_day();
    auto const start = day - day.time_since_epoch() % std::chrono::seconds(10);
    // Those at 10.0 and 10.6 s lie in one eighth of a window, so the last one is appended.
    for (auto const ms : {500, 1'000, 1'000, 1'000, 10'000, 10'600, 10'300, 10'600, 10'700}) {
        auto const now = start + std::chrono::milliseconds(ms);
        CAPTURE(ms);
        CHECK(ask(redis, one, now) == twin.acquire({&one, 1}, now).decisions[0]);
    }
}

TEST_CASE("every key dies by itself, whatever was charged, given back or repaired")
{
    redis_server const server;
    script_caller redis(server);
    random_source random(3);
    auto const start = next_day();
    auto const days = short_days(start, hour);
    for (std::size_t which = 0; which < algorithm_count; ++which) {
        for (int i = 0; i < 40; ++i) {
            limiter::policy policy;
            policy.quota.algorithm = random_limit(random, which, days);
            auto one = claim_of(policy, "dies:" + std::to_string(which) + ":" + std::to_string(i), 1);
            auto now = start;
            for (int step = 0; step < 8; ++step) {
                one.cost = random_cost(random, policy.quota.algorithm);
                auto const answer = ask(redis, one, now);
                if (answer.allowed && one.cost > 0) {
                    auto const ends_ms = std::stoll(server.command({"PEXPIRETIME", std::string(one.key.view())}));
                    CHECK(ends_ms * 1000 >= base::since_epoch_us(now + answer.reset_after));
                }
                if (answer.allowed && which < algorithm_count - 1 && pick(random, 0, 2) == 0)
                    redis.give_back(one, {one.cost, now, answer.reset_after}, now);
                now += base::micros{pick(random, 0, 3) == 0 ? random_step_back(random) : random_step(random)};
                if (now < start - 10 * hour) now = start;
            }
            ask(redis, claim_of(policy, "dies:" + std::to_string(which) + ":" + std::to_string(i), 1), start);
        }
    }
    auto const seen = keys_and_immortals(server);
    CHECK(seen.ends_with("keys, 0 immortal"));
    CHECK(std::stoi(seen) >= 300);
}

TEST_CASE("a charge that was given back in full leaves no key behind")
{
    redis_server const server;
    script_caller redis(server);
    random_source random(5);
    auto const now = next_day();
    auto const days = short_days(now, hour);
    for (std::size_t which = 0; which < algorithm_count; ++which) {
        CAPTURE(std::string(algorithm_names[which]));
        limiter::policy policy;
        policy.quota.algorithm = random_limit(random, which, days);
        auto one = claim_of(policy, "back", 1);
        auto const answer = ask(redis, one, now);
        if (which == algorithm_count - 1) {
            one.cost = -1;
            ask(redis, one, now, {.holder = 1, .held = 1});
        } else {
            redis.give_back(one, {1, now, answer.reset_after}, now);
        }
        CHECK(server.command({"EXISTS", "back"}) == "0");
    }
}

TEST_CASE("what no limiter wrote counts as an untouched counter, of every algorithm, and is no charge to give back")
{
    redis_server const server;
    script_caller redis(server);
    random_source random(11);
    auto const now = next_day();
    auto const days = short_days(now - hour / 2, hour);
    auto const numbers = std::string(40, '9');
    std::vector<std::string> const rubbish = {"",
                                              "rubbish",
                                              "rubbish!",
                                              "nan",
                                              "-5",
                                              "1e99",
                                              ":5",
                                              ":::::",
                                              "5:",
                                              "0:5:5",
                                              "x:1:1",
                                              "1:2:x",
                                              "00000000000000000001",
                                              "rubbishrubbishrubbi",
                                              numbers,
                                              numbers + ":" + numbers,
                                              std::string(8, '\0'),
                                              std::string(24, '\xff'),
                                              std::string(48, 'x'),
                                              std::string(5000, '1')};
    for (std::size_t which = 0; which < algorithm_count; ++which) {
        limiter::policy policy;
        do policy.quota.algorithm = random_limit(random, which, days);
        while (limiter::burst_of(policy.quota.algorithm) < 5);
        auto const burst = limiter::burst_of(policy.quota.algorithm);
        auto const one = claim_of(policy, "rubbish", 1);
        auto const check = [&](std::string const& text) {
            CAPTURE(std::string(algorithm_names[which]));
            CAPTURE(text);
            if (which < algorithm_count - 1) redis.give_back(one, {1, now, base::micros{1000}}, now);
            CHECK(ask(redis, one, now).remaining == burst - 1);
            CHECK(ask(redis, one, now).remaining == burst - 2);
            CHECK(keys_and_immortals(server) == "1 keys, 0 immortal");
        };
        for (auto const& text : rubbish) {
            server.command({"SET", "rubbish", text});
            check(text);
        }
        server.command({"DEL", "rubbish"});
        server.command({"RPUSH", "rubbish", "value"});
        check("a list");
        server.command({"DEL", "rubbish"});
    }
}

TEST_CASE("permits of the holders that live never exceed the limit, whoever dies and comes back")
{
    redis_server const server;
    script_caller redis(server);
    auto const seed = std::random_device{}();
    CAPTURE(seed);
    random_source random(seed);
    constexpr std::int64_t limit = 20;
    constexpr std::size_t holders = 5;
    auto const lapse = limiter::redis::permit_lapse;
    limiter::policy policy;
    policy.quota.algorithm = *limiter::make_concurrency(limit);

    struct worker {
        std::int64_t holder;
        std::int64_t held = 0;
        bool alive = true;
        base::instant heard{}; // of it, by Redis
    };
    std::vector<worker> workers;
    std::vector<worker> gone; // whose place another has taken
    std::int64_t next_holder = 1;
    for (std::size_t i = 0; i < holders; ++i) workers.push_back({next_holder++});
    auto now = next_day();
    int refused = 0;
    auto const call = [&](worker& of, std::int64_t cost) {
        auto const answer = ask(redis, claim_of(policy, "held", cost), now, {.holder = of.holder, .held = of.held});
        if (answer.allowed) {
            of.held += cost;
            if (cost != 0 || of.held > 0) of.heard = now;
        }
        return answer;
    };
    for (int step = 0; step < 4000; ++step) {
        now += base::micros{pick(random, 1, 400'000)};
        for (auto& each : workers) // as a gateway does every 1.5 s
            if (each.alive && each.held > 0 && now - each.heard > std::chrono::milliseconds(1500)) call(each, 0);
        auto& one = workers[static_cast<std::size_t>(pick(random, 0, holders - 1))];
        if (!one.alive) {
            // Comes back knowing nothing of its former self.
            if (pick(random, 0, 20) == 0) gone.push_back(std::exchange(one, {next_holder++}));
        } else if (pick(random, 0, 60) == 0) {
            one.alive = false;
        } else if (one.held > 0 && pick(random, 0, 1) == 0) {
            call(one, -pick(random, 1, one.held));
        } else if (!call(one, pick(random, 1, 4)).allowed) {
            ++refused;
        }
        std::int64_t held = 0;
        std::int64_t counted = 0; // the dead until they lapse
        for (auto const& each : workers) {
            if (each.alive) held += each.held;
            if (each.alive || now < each.heard + lapse) counted += each.held;
        }
        REQUIRE(held <= limit);
        for (auto const& each : gone) counted += now < each.heard + lapse ? each.held : 0;
        worker stranger{.holder = 9'007'199'254'740'991};
        REQUIRE(call(stranger, 0).remaining == std::max<std::int64_t>(limit - counted, 0));
    }
    CHECK(refused > 10);

    // Nobody says anything more: all is free when the last of them has lapsed.
    auto const look = claim_of(policy, "held", 0);
    CHECK(ask(redis, look, now + lapse + base::micros{1}).remaining == limit);
}

TEST_CASE("a holder that Redis has forgotten is believed, and nobody else admitted in its place")
{
    redis_server const server;
    script_caller redis(server);
    limiter::policy policy;
    policy.quota.algorithm = *limiter::make_concurrency(3);
    auto const now = next_day();
    ask(redis, claim_of(policy, "k", 2), now, {.holder = 7, .held = 0});
    server.command({"FLUSHALL"});
    CHECK(ask(redis, claim_of(policy, "k", 0), now, {.holder = 7, .held = 2}).remaining == 1);
    CHECK_FALSE(ask(redis, claim_of(policy, "k", 2), now, {.holder = 8, .held = 0}).allowed);
    CHECK(ask(redis, claim_of(policy, "k", -2), now, {.holder = 7, .held = 2}).remaining == 3);
}

TEST_CASE("a clock that goes back neither frees permits that are held nor keeps those of the dead for longer than they lapse")
{
    redis_server const server;
    script_caller redis(server);
    limiter::policy policy;
    policy.quota.algorithm = *limiter::make_concurrency(3);
    auto const start = next_day();
    auto const look = claim_of(policy, "k", 0);
    ask(redis, claim_of(policy, "k", 2), start, {.holder = 7, .held = 0});
    auto const back = start - hour;
    CHECK(ask(redis, look, back).remaining == 1);
    CHECK(ask(redis, look, back + limiter::redis::permit_lapse - base::micros{1}).remaining == 1);
    CHECK(ask(redis, look, back + limiter::redis::permit_lapse).remaining == 3);
}

} // namespace penstock::tests
