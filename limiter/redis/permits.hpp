// Permits of one concurrency limit, as they outlive the request that asked for them. Plain values.
#pragma once

#include "limiter/claim.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace penstock::limiter::redis {

struct permits {
    partition::partition_key key;
    std::int64_t limit = 0; // as the request was held to
    std::int64_t count = 0;
};

// What a request asks of its concurrency limits, and which of its claims that is.
struct permits_asked {
    std::size_t place = 0;
    permits what;
};
std::vector<permits_asked> permits_asked_by(std::span<claim const> asked);

} // namespace penstock::limiter::redis
