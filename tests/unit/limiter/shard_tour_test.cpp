// A request's way through the shards of its limits.
#include "limiter/shard_tour.hpp"

#include "tests/unit/limiter/claims.hpp"

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>

namespace penstock::limiter {
namespace {

using namespace std::chrono_literals;
using tests::policy_of;

policy sharded(std::string const& name, unsigned shards)
{
    auto made = policy_of(name, *make_fixed_window(10, 10s));
    for (unsigned i = 0; i < shards; ++i) made.quota.shards.push_back(*shard_of(made.quota.algorithm, i, shards));
    return made;
}

claim in_shard(policy const& limit, unsigned shard)
{
    claim made;
    made.policy = &limit;
    made.numbers = &limit.quota.shards[shard];
    made.shard = static_cast<std::uint8_t>(shard);
    made.key.append("rl:{x#0" + std::to_string(shard) + "}");
    made.identity_end = static_cast<std::uint8_t>(made.key.view().size());
    made.key.append(limit.quota.key_suffix);
    return made;
}

// Waits in seconds, 0: allowed, -1: not asked.
verdict refused(std::initializer_list<int> waits)
{
    verdict said;
    said.allowed = false;
    for (auto const wait : waits) {
        decision one;
        one.allowed = wait <= 0;
        one.known = wait >= 0;
        one.retry_after = std::chrono::seconds(wait);
        said.decisions.push_back(one);
    }
    return said;
}

} // namespace

TEST_CASE("every shard is tried once, and the wait is that of the first to have room")
{
    auto const limit = sharded("a", 3);
    claims const asked{in_shard(limit, 1)};
    shard_tour tour(asked);
    REQUIRE(tour.move_on(refused({7})));
    CHECK(tour.claims()[0].key.view() == "rl:{x#02}:a:fw10s");
    CHECK(tour.claims()[0].numbers == &limit.quota.shards[2]);
    REQUIRE(tour.move_on(refused({4})));
    CHECK(tour.claims()[0].key.view() == "rl:{x#00}:a:fw10s");
    auto last = refused({9});
    CHECK_FALSE(tour.move_on(last));
    tour.shorten_waits(last);
    CHECK(last.decisions[0].retry_after == 4s);
}

TEST_CASE("another limit without shards that refuses ends it")
{
    auto const limit = sharded("a", 3);
    auto const plain = policy_of("b", *make_fixed_window(10, 10s));
    claims const asked{in_shard(limit, 0), tests::claim_of(plain, "x")};
    shard_tour tour(asked);
    REQUIRE(tour.move_on(refused({7, 0})));
    auto last = refused({9, 3});
    CHECK_FALSE(tour.move_on(last));
    tour.shorten_waits(last);
    CHECK(last.decisions[0].retry_after == 7s);
    CHECK(last.decisions[1].retry_after == 3s);
}

TEST_CASE("only those that refuse move; those that were not asked and those in shadow do not")
{
    auto const first = sharded("a", 4);
    auto const second = sharded("b", 2);
    auto shadow = sharded("c", 2);
    shadow.enforce = enforcement::shadow;
    claims const asked{in_shard(first, 0), in_shard(second, 0), in_shard(shadow, 0)};
    shard_tour tour(asked);
    REQUIRE(tour.move_on(refused({1, -1, 5})));
    CHECK(tour.claims()[0].shard == 1);
    CHECK(tour.claims()[1].shard == 0);
    CHECK(tour.claims()[2].shard == 0);
    REQUIRE(tour.move_on(refused({0, 1, 5})));
    CHECK(tour.claims()[0].shard == 1);
    CHECK(tour.claims()[1].shard == 1);
    verdict found{.allowed = true, .granted = 1, .now = {}, .decisions = {}};
    found.decisions.resize(3);
    tour.say_where(found);
    for (auto const& said : found.decisions) CHECK(said.shards_on == (&said == &found.decisions[2] ? 0 : 1));
    CHECK_FALSE(tour.move_on(refused({0, 1, 5}))); // both of the second have refused
}

} // namespace penstock::limiter
