// How to reach Redis, compiled from the configuration's `redis` section. Plain values.
#pragma once

#include "base/clock.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace penstock::limiter {

struct breaker_settings {
    unsigned failures = 5; // in a row
    base::micros open_for{1'000'000};
    base::micros open_for_max{30'000'000};
    friend bool operator==(breaker_settings const&, breaker_settings const&) = default;
};

// TLS towards Redis and its sentinels. The texts are PEM, read with the configuration.
struct tls_settings {
    std::string authorities; // who may sign the server's certificate; empty: whom the system trusts
    std::string certificate; // what we show, with its chain; empty: nothing
    std::string private_key;
    std::string server_name; // what the certificate must name; empty: the host that is connected to
    friend bool operator==(tls_settings const&, tls_settings const&) = default;
};

struct redis_address {
    std::string host; // a name or an address
    std::uint16_t port = 6379;
    friend bool operator==(redis_address const&, redis_address const&) = default;
};
// HOST:PORT, as an operator would write it.
inline std::string to_string(redis_address const& address)
{
    auto const is_v6 = address.host.find(':') != std::string::npos;
    return (is_v6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

// Who knows where the primary is.
struct sentinel_settings {
    std::vector<redis_address> addresses; // at least one
    std::string primary;                  // by what name they know it
    std::string user;
    std::string password; // theirs; empty: no AUTH
    friend bool operator==(sentinel_settings const&, sentinel_settings const&) = default;
};

// What a line to Redis can be told while it stands.
struct redis_terms {
    base::micros check_timeout{20'000};
    base::micros connect_timeout{1'000'000};
    std::size_t max_pending = 4096; // checks waiting on one connection; beyond it errc::overloaded
    breaker_settings breaker;
    friend bool operator==(redis_terms const&, redis_terms const&) = default;
};

struct redis_settings : redis_terms {
    std::string host; // empty: unix socket, or as the sentinels or the cluster say
    std::uint16_t port = 6379;
    std::string unix_path;
    std::string user;          // ACL user; empty: the default user
    std::string password;      // empty: no AUTH
    std::string password_file; // where it came from, to be read again when Redis refuses it; may be empty
    unsigned database = 0;
    std::optional<tls_settings> tls;               // none: in clear
    std::optional<sentinel_settings> sentinels;    // none: `host` is the primary
    std::vector<redis_address> cluster_seeds;      // not empty: a cluster, and these are asked for its nodes; no host then
    std::string probe_key = "rl:{penstock-probe}"; // what an open breaker asks about; under the key prefix
    base::instant const* test_clock = nullptr;     // for tests: replaces Redis' clock. No configuration reaches it

    void adopt(redis_terms const& next) { static_cast<redis_terms&>(*this) = next; }
    friend bool operator==(redis_settings const&, redis_settings const&) = default;
};

// Whether both are reached by the same connection as the same user, and name the same keys: then a line to one need only
// adopt the other's terms.
inline bool is_same_line(redis_settings one, redis_settings const& other)
{
    one.adopt(other);
    return one == other;
}

} // namespace penstock::limiter
