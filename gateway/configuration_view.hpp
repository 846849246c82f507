// A snapshot as one worker uses it: beside the compiled configuration, the worker's own upstreams, Redis store and counters
// that belong to its routes, limits and upstreams, looked up once. An exchange keeps the view that it started with.
// One worker's thread.
#pragma once

#include "conf/snapshot.hpp"
#include "gateway/telemetry.hpp"
#include "gateway/token_check.hpp"
#include "limiter/acquire.hpp"
#include "limiter/fleet_front.hpp"
#include "limiter/redis/fleet_store.hpp"
#include "partition/digest_cache.hpp"
#include "proxy/head_scanner.hpp"
#include "proxy/upstream.hpp"

#include <memory>
#include <vector>

namespace penstock::gateway {

struct configuration_view {
    configuration_view(limiter::memory_store& memory, limiter::waiting_room& waiting, limiter::stand_in& local) noexcept
        : stores{memory, nullptr, &waiting, &local}
    {}

    conf::snapshot_ptr snapshot;
    std::vector<std::shared_ptr<proxy::upstream>> upstreams;  // by upstream_id
    std::shared_ptr<limiter::fleet_store> redis;              // null: not configured
    std::shared_ptr<limiter::fleet_front> front;              // before `redis`; null without it
    std::unique_ptr<token_checker> tokens;                    // null: none is ever looked at
    std::unique_ptr<partition::digest_cache> digests;         // null: no limit's key holds a hash
    limiter::stores stores;                                   // memory, and `front`
    std::vector<telemetry::route_counts*> route_counts;       // by route_id
    std::vector<telemetry::limit_counts*> limit_counts;       // by policy_id
    std::vector<telemetry::upstream_counts*> upstream_counts; // by upstream_id
    std::vector<std::vector<status_classes*>> server_counts;  // by upstream_id, then endpoint
    proxy::head_limits head_limits;
};

using configuration_view_ptr = std::shared_ptr<configuration_view const>;

} // namespace penstock::gateway
