// What one worker has counted: plain integers that only its thread touches. Keyed by names of the configuration, never by a
// caller's key, so that the number of series is bounded (OP-14); names survive a reload, and with them the counts.
// A scrape copies the whole; gateway/metrics adds the copies up. Values only.
#pragma once

#include "auth/refusal.hpp"
#include "base/clock.hpp"
#include "gateway/credential_refusal.hpp"
#include "limiter/admit.hpp"
#include "limiter/fleet_counts.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace penstock::gateway {

// Cumulative only in the exposition; here each bucket counts its own.
struct histogram {
    static constexpr std::array<double, 14> bounds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                   0.1,    0.25,  0.5,    1.0,   2.5,  5.0,   10.0};
    std::array<std::uint64_t, bounds.size() + 1> counts{};
    base::micros sum{0};

    void observe(base::micros value) noexcept;
    void add(histogram const& other) noexcept;
};

using status_classes = std::array<std::uint64_t, 6>; // [1] = 1xx ... [5] = 5xx, [0] = none sent

using token_counts = std::array<std::uint64_t, auth::refusal_count + 1>; // by auth::refusal; the last: known from the cache

struct telemetry {
    struct route_counts {
        status_classes requests{};
        histogram duration;
    };
    struct queue_counts {
        std::uint64_t waiting = 0; // now
        std::uint64_t full = 0;    // times that a request found no room to wait, of its key or in the whole process
        histogram waited;
    };
    struct limit_counts {
        std::array<std::uint64_t, 6> decisions{}; // by limiter::outcome
        std::optional<queue_counts> queue;        // of a limit that has, or had, one
    };
    struct upstream_counts {
        histogram duration; // to the head of the answer
        std::map<std::string, status_classes, std::less<>> servers;
    };

    std::map<std::string, route_counts, std::less<>> routes;
    std::map<std::string, limit_counts, std::less<>> limits;
    limiter::fleet_counts fleet; // by limit
    std::map<std::string, upstream_counts, std::less<>> upstreams;
    std::map<std::string, std::uint64_t, std::less<>> parse_rejections; // by reason
    std::array<std::uint64_t, credential_refusal_count> credentials_refused{};
    std::uint64_t unknown_keys_ignored = 0;               // `on_unknown: anonymous`
    std::array<std::array<std::uint64_t, 2>, 2> denied{}; // by denied_by, then conf::deny_action
    static constexpr std::uint64_t memory_checks_per_sample = 64;
    std::uint64_t memory_checks = 0;
    histogram check_memory; // one in memory_checks_per_sample
    histogram check_redis;
    std::optional<token_counts> tokens; // where tokens are, or were, looked at
    status_classes unrouted{};          // requests that took no route
    std::uint64_t connections_open = 0;
    std::uint64_t connections_total = 0;
    std::uint64_t forwarded_for_rejected = 0;
    std::uint64_t forwarding_failures = 0;

    void add(telemetry const& other);
};

// The label value of an outcome: "allowed", ...
std::string_view name_of(limiter::outcome result) noexcept;

} // namespace penstock::gateway
