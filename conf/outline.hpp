// Limits and routes as far as they can be read: what compile turns into a snapshot, and what the checks look at even where
// other parts of the document are wrong. Every part carries its place. Called by load. Pure.
#pragma once

#include "conf/calendars.hpp"
#include "conf/deny_list.hpp"
#include "conf/document.hpp"
#include "conf/settings.hpp"
#include "limiter/policy.hpp"
#include "proxy/route_table.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace penstock::conf {

// Other numbers of a limit's algorithm, for one caller or one tier.
struct quota_outline {
    std::string name; // what the caller presents; of a tier its name
    place at;
    std::string path; // limits.NAME.overrides[0], limits.NAME.from_attribute.tiers.TIER
    node const* source = nullptr;
    std::optional<limiter::algorithm> algorithm; // if they could be read
};

struct limit_outline {
    limiter::policy policy; // id, scope, key suffixes, shards and overrides are set by compile
    place at;
    std::string path; // limits.NAME
    node const* source = nullptr;
    std::vector<quota_outline> overrides;
    std::vector<quota_outline> tiers;
    unsigned shards = 0;        // 0: not sharded
    bool has_algorithm = false; // policy.algorithm could be read
    bool has_key = false;       // all of policy.key could be read

    // The highest cost that can ever pass; only if it has_algorithm.
    [[nodiscard]] std::int64_t most_at_once() const noexcept
    {
        auto const burst = limiter::burst_of(policy.quota.algorithm);
        return shards > 1 ? burst / shards : burst;
    }
};

// The name of a limit, where it was written.
struct limit_reference {
    std::string name;
    place at;
    std::string path;
};
using term_outline = std::vector<limit_reference>; // one limit, or the first of several

struct route_outline {
    proxy::route route; // id and upstream are set by compile
    std::string path;   // routes[2]
    place at;
    node const* source = nullptr;
    bool has_pattern = false; // route.path could be read
    std::string upstream;
    std::vector<term_outline> before_auth;
    std::vector<term_outline> own;
    bool is_unlimited = false; // limits: none
    deny_list deny;
    std::optional<std::int64_t> cost;
    std::optional<limiter::cost_field> cost_from;
};

struct outline {
    conf::calendars calendars; // that the limits count by
    std::vector<limit_outline> limits;
    std::vector<term_outline> global;
    std::vector<route_outline> routes;

    [[nodiscard]] limit_outline const* find_limit(std::string_view name) const noexcept;
    // Every term that a request on this route meets, in order: before_auth, global, own.
    [[nodiscard]] std::vector<term_outline> terms_of(route_outline const& route) const;
};

limiter::scope scope_of(node const& limit, settings const& read);

// `root` must outlive the result.
outline read_outline(node const& root, settings const& read, calendars known);

} // namespace penstock::conf
