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
    partition::hash_secret secret{};
};

struct classified {
    limiter::claims claims;
    policy const* missing_key = nullptr; // a limit with `on_missing_key: reject` whose key the request lacks
};

// Of each term the first limit whose key the request has; if it has none of them, the first whose `on_missing_key` is not
// skip. A limit that exempts the caller is met without a claim. A limit met twice is one claim with both costs.
classified classify(plan const& limits, base::request_facts const& facts, key_settings const& keys) noexcept;

} // namespace penstock::limiter
