// What the tests of a real cluster share: settings that lead to it, claims with keys in slots of their choice, and looks at what a
// worker's store has counted.
#pragma once

#include "tests/contract/redis_worker.hpp"
#include "tests/support/redis_cluster.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <string>

namespace penstock::tests {

inline limiter::algorithm bucket(std::int64_t capacity)
{
    return *limiter::make_token_bucket(capacity, 1, std::chrono::hours{1});
}

inline limiter::redis_settings settings_for(redis_cluster& cluster)
{
    auto wanted = settings_for(cluster.node(0));
    wanted.connect_timeout = std::chrono::seconds{10}; // so long, as check_timeout is
    wanted.host.clear();
    wanted.cluster_seeds = {{"127.0.0.1", cluster.node(1).port()}, {"127.0.0.1", cluster.node(0).port()}};
    return wanted;
}

inline std::string key_of(std::string const& tag, std::string const& limit) { return "rl:" + tag + ":" + limit; }

inline limiter::claims together(std::initializer_list<one_claim const*> all)
{
    limiter::claims asked;
    for (auto const* each : all) asked.push_back(each->claim);
    return asked;
}

inline limiter::redis::cluster_counts counted(redis_worker& worker) { return *worker.store().count_cluster(); }

// What remains of a bucket, asked without charging.
inline std::int64_t remaining(redis_worker& worker, one_claim const& of)
{
    auto looked = of.claim;
    looked.cost = 0;
    auto const said = worker.ask({&looked, 1});
    REQUIRE(said.has_value());
    return said->decisions[0].remaining;
}

inline void until_remaining(redis_worker& worker, one_claim const& of, std::int64_t wanted)
{
    auto const limit = base::clock::now() + std::chrono::seconds{10};
    while (remaining(worker, of) != wanted) REQUIRE(base::clock::now() < limit);
}

} // namespace penstock::tests
