// What one request asks of the limiter and what it is told. Plain values of fixed size: a request's claims live on its
// coroutine frame and allocate nothing.
#pragma once

#include "limiter/decision.hpp"
#include "limiter/policy.hpp"
#include "partition/partition_key.hpp"

#include <boost/container/static_vector.hpp>

#include <cstdint>

namespace penstock::limiter {

// Most limits that one request may meet; `check` refuses a route with more.
inline constexpr std::size_t max_claims = 16;

struct claim {
    limiter::policy const* policy = nullptr;     // never null
    limiter::algorithm const* numbers = nullptr; // a shard's, an override's or a tier's; null: the policy's own
    partition::partition_key key;
    std::int64_t cost = 1;
    std::uint32_t times = 1;       // asked for by so many requests alike; beyond 1 only in a call with no other claim
    std::uint8_t identity_end = 0; // bytes of `key` before the limit's suffix: PREFIX{IDENTITY}
    std::uint8_t shard = 0;        // of a sharded limit: which one `key` and `numbers` name

    [[nodiscard]] limiter::algorithm const& algorithm() const noexcept { return numbers ? *numbers : policy->quota.algorithm; }
};
using claims = boost::container::static_vector<claim, max_claims>;

// The answer for a request: one decision per claim, in the order of the claims.
// `allowed`: every claim that is enforced was allowed, and all allowed claims were charged; otherwise none was.
struct verdict {
    bool allowed = true;
    std::uint32_t granted = 1; // of a claim with `times`: to how many of the requests it was granted (0: refused)
    base::instant now{};       // the store's clock as it decided; of several nodes' clocks the latest
    boost::container::static_vector<decision, max_claims> decisions;
};

} // namespace penstock::limiter
