// The answer of one limit for one claim. Pure value.
#pragma once

#include "base/clock.hpp"

#include <cstdint>

namespace penstock::limiter {

// "No wait would help": the cost is above what the limit can ever admit at once.
inline constexpr base::micros never = base::micros::max();

struct decision {
    bool allowed = true;
    bool known = true;          // false: another limit refused the request, and this one was never asked; the rest says nothing
    std::uint8_t shards_on = 0; // of a sharded limit: the answer is that of the shard so many after the one asked for
    std::int32_t clock_behind_us = 0; // by how much the clock that decided this one is behind verdict::now, in a cluster
    std::int64_t remaining = 0;       // permits that would still pass at this instant, >= 0
    base::micros reset_after{0};      // until the counter is untouched again
    base::micros retry_after{0};      // refused: until this same cost passes, exact to the microsecond, or `never`
    // Allowed on permits that were taken in advance: until then they can go back there. Else unset: the store has charged it.
    base::instant lease_until{};
    friend bool operator==(decision const&, decision const&) = default;
};

} // namespace penstock::limiter
