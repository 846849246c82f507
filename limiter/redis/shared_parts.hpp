// What the line to one node has in common with those to the others of its cluster, and is given by it. Plain values.
#pragma once

#include "limiter/redis/permit_keeper.hpp"
#include "limiter/redis/tls_context.hpp"

namespace penstock::limiter::redis {

struct shared_parts {
    // Where the keeper of permits sends its calls: to the node that has the key now. Null: over its own line. Outlives that.
    permit_keeper::line* permits_over = nullptr;
    // Made of the line's settings. Null: it makes its own, where they want TLS.
    tls_context_ptr tls = nullptr;
};

} // namespace penstock::limiter::redis
