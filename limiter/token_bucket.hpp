// Token bucket as GCRA with an exact rational emission interval. Internal to the algorithms: called by algorithm.cpp, and by leases for its time.
// Knows no clock and no other algorithm. Pure.
#pragma once

#include "limiter/algorithm.hpp"

namespace penstock::limiter {

advanced advance_token_bucket(token_bucket const& parameters, counter_state const* state, std::int64_t cost,
                              base::instant now) noexcept;
bool refund_token_bucket(token_bucket const& parameters, counter_state& state, charge const& taken, base::instant now) noexcept;
// Another capacity that refills in the same time; nothing if that cannot be calculated exactly.
std::optional<token_bucket> with_capacity(token_bucket const& parameters, std::int64_t capacity) noexcept;
// Time in which `permits` are emitted, rounded up to a microsecond.
base::micros emission_time(token_bucket const& parameters, std::int64_t permits) noexcept;

} // namespace penstock::limiter
