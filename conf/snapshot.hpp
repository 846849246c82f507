// The compiled configuration: immutable, nothing left to parse, no counters, sockets or clocks. Workers hold it by shared
// pointer; an exchange keeps the one it started with. Built by conf/compile, replaced as a whole by a reload.
#pragma once

#include "conf/calendars.hpp"
#include "conf/settings.hpp"
#include "limiter/classify.hpp"
#include "limiter/plan.hpp"
#include "proxy/route_table.hpp"
#include "proxy/upstream_spec.hpp"

#include <deque>
#include <memory>
#include <vector>

namespace penstock::conf {

struct snapshot {
    conf::settings settings;
    limiter::key_settings keys;
    conf::calendars calendars;                   // that policies count by
    std::deque<limiter::policy> policies;        // by policy_id; addresses never change
    std::vector<proxy::upstream_spec> upstreams; // by upstream_id
    proxy::route_table routes;
    std::vector<limiter::plan> plans;     // by route_id
    std::vector<deny_list> route_denials; // likewise

    snapshot() = default;
    snapshot(snapshot const&) = delete; // plans point into policies
    snapshot& operator=(snapshot const&) = delete;
};

using snapshot_ptr = std::shared_ptr<snapshot const>;

} // namespace penstock::conf
