// Policies and claims for tests, spelled briefly.
#pragma once

#include "limiter/claim.hpp"

#include <string>

namespace penstock::limiter::tests {

inline constexpr base::instant start = base::at_epoch_us(1'700'000'000'000'000);

inline constexpr base::micros seconds(std::int64_t n) { return base::micros{n * 1'000'000}; }

inline policy policy_of(std::string const& name, limiter::algorithm const& how)
{
    policy result;
    result.name = name;
    result.quota.algorithm = how;
    result.quota.key_suffix = ":" + name + ":" + tag_of(how);
    return result;
}

inline claim claim_of(policy const& limit, std::string const& identity, std::int64_t cost = 1)
{
    claim result;
    result.policy = &limit;
    result.cost = cost;
    result.key.append("rl:{" + identity + "}" + limit.quota.key_suffix);
    return result;
}

} // namespace penstock::limiter::tests
