// From a route's plan and a request's facts to claims: which limits apply, under which partition key, at what cost.
// Pure; one call per request, no allocation.
#pragma once

#include "limiter/claim.hpp"
#include "limiter/plan.hpp"
#include "partition/partition_key.hpp"

#include <string>

namespace penstock::limiter {

struct key_settings {
    std::string prefix = "rl:"; // in front of every key in Redis
    partition::hash_secret secret{partition::hash_secret::bytes{}};
};

// Refers to itself: stays where it is while anybody uses its claims.
struct classified {
    limiter::claims claims;
    policy const* missing_key = nullptr; // a limit with `on_missing_key: reject` whose key the request lacks
    boost::container::static_vector<algorithm, max_claims> made_numbers; // by an attribute; claims point here
    bool may_wait = false;                                               // some claim's limit has a queue

    classified() = default;
    classified(classified const&) = delete;
    classified& operator=(classified const&) = delete;
    void clear() noexcept;
};

// What `into` held before is forgotten. Of each term the first limit whose key the request has; if it has none of them, the first
// whose `on_missing_key` is not skip. A limit that exempts the caller is met without a claim. A limit met twice is one claim with
// both costs. A sharded limit is claimed in the shard that `turn` comes to: count it up from request to request, so that shards
// take turns. `lately` belongs to the secret of `keys`; without one every hash is made anew.
void classify(plan_part const& limits, base::request_facts const& facts, key_settings const& keys, std::uint32_t turn,
              classified& into, partition::digest_cache* lately = nullptr) noexcept;

// The same for the terms of a later stage: the claims of the earlier ones stay in front, untouched. `may_wait` and
// `missing_key` then speak of the new ones.
void classify_further(plan_part const& limits, base::request_facts const& facts, key_settings const& keys, std::uint32_t turn,
                      classified& into, partition::digest_cache* lately = nullptr) noexcept;

// Makes of a claim in a sharded limit one in the shard after it.
void move_to_next_shard(claim& sharded) noexcept;

} // namespace penstock::limiter
