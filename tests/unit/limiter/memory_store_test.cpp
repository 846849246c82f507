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
    store.refund(both, given, start, start);
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
    store.refund(both, given, start, start);
    CHECK(remaining(store, both[0]) == 0);
    CHECK(remaining(store, both[1]) == 5);

    std::vector const too_much{claim_of(bucket_of_ten, "x", 6)};
    auto const refused = store.acquire(too_much, start);
    store.refund(too_much, refused, start, start);
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

} // namespace penstock::limiter
