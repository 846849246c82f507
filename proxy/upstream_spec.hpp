// One upstream as configured: its endpoints, how one is chosen, how long each wait may be, what may be retried. Immutable,
// owned by the snapshot. Plain values.
#pragma once

#include "base/clock.hpp"
#include "base/strong.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace penstock::proxy {

using upstream_id = base::strong<struct upstream_tag>; // index into snapshot::upstreams

struct endpoint_spec {
    std::string host; // name or literal address; empty: unix socket
    std::uint16_t port = 0;
    std::string unix_path;
    unsigned weight = 1; // >= 1
    std::string label;   // as written in the configuration: metric label and log value
    friend bool operator==(endpoint_spec const&, endpoint_spec const&) = default;
};

enum class balance : std::uint8_t { round_robin, least_requests };

struct upstream_timeouts {
    base::micros connect{1'000'000};   // name resolution and connection
    base::micros response{30'000'000}; // from the last byte sent to the first byte of the response head
    base::micros idle{60'000'000};     // between two reads or writes while streaming
    friend bool operator==(upstream_timeouts const&, upstream_timeouts const&) = default;
};

struct upstream_spec {
    upstream_id id;
    std::string name;
    std::vector<endpoint_spec> servers; // never empty
    proxy::balance balance = proxy::balance::round_robin;
    upstream_timeouts timeouts;
    unsigned retries = 1; // further tries of a request that is safe to repeat
};

// The same but for the id: a reload may keep what serves `a` for `b`.
inline bool equivalent(upstream_spec const& a, upstream_spec const& b)
{
    return a.name == b.name && a.servers == b.servers && a.balance == b.balance && a.timeouts == b.timeouts &&
           a.retries == b.retries;
}

} // namespace penstock::proxy
