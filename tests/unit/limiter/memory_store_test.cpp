#include "limiter/memory_store.hpp"
#include "tests/unit/limiter/claims.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace penstock::limiter {
namespace {

using tests::claim_of;
using tests::policy_of;
using tests::seconds;
using tests::start;

policy const five_an_hour = policy_of("five", *make_fixed_window(5, seconds(3600)));
policy const bucket_of_ten = policy_of("ten", *make_token_bucket(10, 10, seconds(3600)));

bool ask(memory_store& store, claim const& one, base::instant now = start) { return store.acquire({&one, 1}, now).allowed; }

std::int64_t remaining(memory_store& store, claim one, base::instant now = start)
{
    one.cost = 0;
    return store.acquire({&one, 1}, now).decisions[0].remaining;
}

} // namespace

TEST_CASE("1,000 refused requests leave the other limit untouched (design 1.2)")
{
    memory_store store{{.max_keys = 1000}};
    std::vector const both{claim_of(five_an_hour, "x"), claim_of(bucket_of_ten, "x")};
    for (int i = 0; i < 5; ++i) CHECK(store.acquire(both, start).allowed);
    for (int i = 0; i < 1000; ++i) {
        auto const verdict = store.acquire(both, start);
        REQUIRE_FALSE(verdict.allowed);
        REQUIRE_FALSE(verdict.decisions[0].allowed);
        REQUIRE(verdict.decisions[1].allowed);
        REQUIRE(verdict.decisions[1].remaining == 5);
    }
    CHECK(remaining(store, both[1]) == 5);
}

TEST_CASE("the most limits that a request may meet are charged together")
{
    memory_store store{{.max_keys = 100'000}};
    std::vector<claim> all;
    for (std::size_t i = 0; i < max_claims; ++i) all.push_back(claim_of(five_an_hour, std::to_string(i)));
    for (int i = 0; i < 5; ++i) CHECK(store.acquire(all, start).allowed);
    CHECK_FALSE(store.acquire(all, start).allowed);
    CHECK(store.count().keys == max_claims);
}

TEST_CASE("looking and being refused create no counter")
{
    memory_store store{{.max_keys = 1000}};
    CHECK(ask(store, claim_of(five_an_hour, "x", 0)));
    CHECK_FALSE(ask(store, claim_of(five_an_hour, "x", 6)));
    CHECK(store.count().keys == 0);
}

TEST_CASE("a flood of callers is bounded, and what it drops is counted")
{
    constexpr std::size_t bound = 2'000;
    constexpr std::size_t callers = 20'000;
    memory_store store{{.max_keys = bound}};
    for (std::size_t i = 0; i < callers; ++i) ask(store, claim_of(five_an_hour, std::to_string(i)));
    auto const count = store.count();
    CHECK(count.keys <= bound);
    CHECK(count.keys > bound * 3 / 4);
    CHECK(count.keys + count.evictions == callers);
    CHECK(count.bytes <= 64 * bound + 64 * 256);
}

TEST_CASE("a flood of callers does not give a fresh start to one whose bucket is empty")
{
    memory_store store{{.max_keys = 1'000}};
    auto const drained = claim_of(bucket_of_ten, "drained", 10);
    CHECK(ask(store, drained));
    for (int i = 0; i < 20'000; ++i) ask(store, claim_of(bucket_of_ten, std::to_string(i)));
    CHECK(store.count().evictions > 0);
    CHECK(remaining(store, drained) == 0);
}

TEST_CASE("one caller is limited even where there is room for a single counter")
{
    memory_store store{{.max_keys = 1}};
    for (int i = 0; i < 5; ++i) CHECK(ask(store, claim_of(five_an_hour, "x")));
    CHECK_FALSE(ask(store, claim_of(five_an_hour, "x")));
    CHECK(ask(store, claim_of(five_an_hour, "y")));
    CHECK(store.count().keys == 1);
    CHECK(store.count().evictions == 1);
}

TEST_CASE("idle counters vanish, and their memory with them")
{
    memory_store store{{.max_keys = 100'000}};
    auto const empty = store.count().bytes;
    for (int i = 0; i < 50'000; ++i) ask(store, claim_of(five_an_hour, std::to_string(i)));
    CHECK(store.count().keys == 50'000);

    auto const later = start + seconds(3601);
    std::size_t dropped = 0;
    for (int i = 0; i < 100 && dropped < 50'000; ++i) dropped += store.sweep(later);
    CHECK(dropped == 50'000);
    store.sweep(later);
    CHECK(store.count().keys == 0);
    CHECK(store.count().evictions == 0);
    CHECK(store.count().bytes <= 2 * empty);
}

TEST_CASE("what another store refused is given back")
{
    memory_store store{{.max_keys = 1000}};
    std::vector const both{claim_of(five_an_hour, "x", 2), claim_of(bucket_of_ten, "x", 3)};
    CHECK(store.acquire(both, start).allowed);
    auto const given = store.acquire(both, start);
    CHECK(remaining(store, both[0]) == 1);
    CHECK(remaining(store, both[1]) == 4);
    store.refund(both, given, start);
    CHECK(remaining(store, both[0]) == 3);
    CHECK(remaining(store, both[1]) == 7);
}

TEST_CASE("nothing is given back for a refused request, nor for a shadow that refused")
{
    memory_store store{{.max_keys = 1000}};
    auto shadow = five_an_hour;
    shadow.enforce = enforcement::shadow;
    std::vector const both{claim_of(shadow, "x", 5), claim_of(bucket_of_ten, "x", 5)};
    CHECK(store.acquire(both, start).allowed);
    auto const given = store.acquire(both, start);
    CHECK(given.allowed);
    CHECK_FALSE(given.decisions[0].allowed);
    store.refund(both, given, start);
    CHECK(remaining(store, both[0]) == 0);
    CHECK(remaining(store, both[1]) == 5);

    std::vector const too_much{claim_of(bucket_of_ten, "x", 6)};
    auto const refused = store.acquire(too_much, start);
    store.refund(too_much, refused, start);
    CHECK(remaining(store, both[1]) == 5);
}

TEST_CASE("threads that share a limit admit exactly what it permits")
{
    constexpr int threads = 4;
    constexpr int requests = 20'000;
    auto const limit = policy_of("shared", *make_token_bucket(10'000, 1, seconds(3600)));
    memory_store store{{.max_keys = 100'000}};
    std::atomic<int> admitted{0};
    {
        std::vector<std::jthread> workers;
        for (int t = 0; t < threads; ++t) {
            workers.emplace_back([&, t] {
                for (int i = 0; i < requests; ++i) {
                    // Another counter in another stripe each time, before and after the shared one: every order of locking.
                    auto const own = claim_of(five_an_hour, std::to_string(t) + "." + std::to_string(i));
                    auto const shared = claim_of(limit, "everyone");
                    std::vector const asked = i % 2 == 0 ? std::vector{own, shared} : std::vector{shared, own};
                    if (store.acquire(asked, start).allowed) ++admitted;
                }
            });
        }
    }
    CHECK(admitted == 10'000);
    CHECK(store.count().keys == 10'001);
}

TEST_CASE("a thread that comes late to its lock does not turn the clock back")
{
    auto const limit = policy_of("a", *make_clock_window(100, seconds(10)));
    auto const one = claim_of(limit, "x");
    memory_store store{{.max_keys = 1000}};
    auto const border = base::at_epoch_us(1'700'000'010'000'000);
    for (int i = 0; i < 100; ++i) REQUIRE(store.acquire({&one, 1}, border + base::micros{1000}).allowed);
    auto const late = store.acquire({&one, 1}, border - base::micros{500});
    CHECK_FALSE(late.allowed);
    CHECK(late.now == border + base::micros{1000});
    CHECK_FALSE(store.acquire({&one, 1}, border + base::micros{1100}).allowed);

    auto const bucket = policy_of("b", *make_token_bucket(10, 1000, seconds(1)));
    auto const other = claim_of(bucket, "x");
    auto admitted = 0;
    for (int us = 0; us < 1'000'000; us += 100) { // every other request has lost 5 ms
        auto const at = start + base::micros{us} - base::micros{us / 100 % 2 == 0 ? 0 : 5000};
        if (store.acquire({&other, 1}, at).allowed) ++admitted;
    }
    CHECK(admitted <= 10 + 1000);
}

TEST_CASE("a flood of long logs is bounded in memory, and what it drops is counted")
{
    constexpr std::size_t bound = 20'000;
    auto const log = policy_of("log", *make_sliding_log(100, seconds(3600)));
    memory_store store{{.max_keys = bound}};
    std::size_t callers = 0;
    for (; callers < 3'000; ++callers) ask(store, claim_of(log, std::to_string(callers), 100));
    auto const count = store.count();
    CHECK(count.keys + count.evictions == callers);
    CHECK(count.evictions > 0);
    CHECK(count.keys > bound * 40 / (100 * 8 + 120) / 2);
    CHECK(count.bytes <= 64 * bound + 64 * 1024);
}

TEST_CASE("logs that grow in place are bounded too, and the one that is charged stays")
{
    auto const log = policy_of("log", *make_sliding_log(10'000, seconds(3600)));
    memory_store store{{.max_keys = 64}};
    for (int i = 1; i <= 100; ++i) {
        for (auto const* caller : {"x", "y"}) ask(store, claim_of(log, caller, 10), start + seconds(i));
    }
    CHECK(store.count().evictions > 0);
    auto const alone = claim_of(log, "z", 100);
    for (int i = 1; i <= 100; ++i) CHECK(ask(store, alone, start + seconds(100)));
    CHECK_FALSE(ask(store, alone, start + seconds(100)));
    CHECK(store.count().keys == 1);
}

TEST_CASE("neither kind of counter can drive out the other's half")
{
    constexpr std::size_t bound = 64 * 100;
    auto const log = policy_of("log", *make_sliding_log(1, seconds(3600)));
    auto const bucket_of = [](int i) { return claim_of(bucket_of_ten, std::to_string(i)); };
    auto const log_of = [&](int i) { return claim_of(log, std::to_string(i)); };
    auto const counted = [](memory_store& store, auto const& claim_of_caller) {
        int known = 0;
        for (int i = 0; i < 1'000; ++i)
            known += remaining(store, claim_of_caller(i)) < burst_of(claim_of_caller(i).algorithm());
        return known;
    };
    memory_store store{{.max_keys = bound}};
    for (int i = 0; i < 1'000; ++i) ask(store, bucket_of(i));
    for (int i = 0; i < 20'000; ++i) ask(store, log_of(100'000 + i));
    CHECK(counted(store, bucket_of) == 1'000);

    memory_store other{{.max_keys = bound}};
    for (int i = 0; i < 500; ++i) ask(other, log_of(i));
    for (int i = 0; i < 20'000; ++i) ask(other, bucket_of(100'000 + i));
    CHECK(counted(other, log_of) == 500);
}

TEST_CASE("permits that are held stay through a flood, and leave nothing behind when they are given back")
{
    auto const held = policy_of("held", *make_concurrency(1));
    memory_store store{{.max_keys = 1'000}};
    for (int i = 0; i < 100; ++i) CHECK(ask(store, claim_of(held, std::to_string(i))));
    for (int i = 0; i < 20'000; ++i) ask(store, claim_of(bucket_of_ten, std::to_string(i)));
    for (int i = 0; i < 100; ++i) CHECK_FALSE(ask(store, claim_of(held, std::to_string(i))));

    auto const much_later = start + seconds(100'000);
    store.sweep(much_later);
    CHECK(store.count().keys == 100);
    for (int i = 0; i < 100; ++i) store.give_back(claim_of(held, std::to_string(i)), {.cost = 1, .at = start}, much_later);
    store.sweep(much_later);
    CHECK(store.count().keys == 0);
}

TEST_CASE("a claim's charge is given back, whichever state it keeps")
{
    memory_store store{{.max_keys = 1000}};
    std::vector<algorithm> const all{*make_token_bucket(5, 5, seconds(60)),   *make_periodic_bucket(5, 5, seconds(60)),
                                     *make_fixed_window(5, seconds(60)),      *make_clock_window(5, seconds(60)),
                                     *make_sliding_window(5, seconds(60), 3), *make_sliding_counter(5, seconds(60)),
                                     *make_sliding_log(5, seconds(60)),       *make_concurrency(5)};
    for (auto const& how : all) {
        CAPTURE(tag_of(how));
        auto const limit = policy_of(tag_of(how), how);
        auto const one = claim_of(limit, "x", 3);
        auto const given = store.acquire({&one, 1}, start);
        REQUIRE(given.allowed);
        CHECK_FALSE(ask(store, one));
        store.give_back(one, {one.cost, start, given.decisions[0].reset_after}, start);
        CHECK(remaining(store, one) == 5);
        auto const again = store.acquire({&one, 1}, start);
        store.refund({&one, 1}, again, start);
        CHECK(remaining(store, one) == 5);
    }
}

TEST_CASE("idle logs vanish, and their memory with them")
{
    auto const log = policy_of("log", *make_sliding_log(50, seconds(60)));
    memory_store store{{.max_keys = 100'000}};
    auto const empty = store.count().bytes;
    for (int i = 0; i < 1'000; ++i) ask(store, claim_of(log, std::to_string(i), 50));
    CHECK(store.count().bytes > 1'000 * 50 * 8);
    std::size_t dropped = 0;
    for (int i = 0; i < 100 && dropped < 1'000; ++i) dropped += store.sweep(start + seconds(61));
    store.sweep(start + seconds(61));
    CHECK(dropped == 1'000);
    CHECK(store.count().bytes <= 2 * empty);
}

} // namespace penstock::limiter
