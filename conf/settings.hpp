// Everything in the configuration that is neither a limit, a route nor an upstream: listeners, admin, Redis, clients,
// answers. Plain values with every default written once, here.
#pragma once

#include "auth/token_settings.hpp"
#include "base/clock.hpp"
#include "conf/api_key_book.hpp"
#include "conf/credential_source.hpp"
#include "conf/deny_list.hpp"
#include "limiter/redis/redis_settings.hpp"
#include "partition/client_address.hpp"
#include "proxy/proxy_header.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace penstock::conf {

// host:port, [v6]:port or unix:/path.
struct bind_address {
    std::string host;       // literal address; empty: unix socket
    std::uint16_t port = 0; // 0: the system picks one (printed at start)
    std::string unix_path;
    std::string text; // as written
};

struct listener {
    bind_address address;
    proxy::proxy_protocol proxy_protocol = proxy::proxy_protocol::off;
    std::vector<base::ip_network> proxy_protocol_from; // who may send the header; empty: client.trusted_proxies
};

struct message_limits {
    std::size_t request_line = 8192;                   // bytes: 414 beyond
    std::size_t header_field = std::size_t{16} * 1024; // bytes of one field: 431
    std::size_t headers = std::size_t{64} * 1024;      // bytes of all fields: 431
    std::size_t header_count = 100;                    // 431
    std::uint64_t body = 0;                            // bytes: 413 beyond; 0: no limit
};

struct downstream_timeouts {
    base::micros keep_alive{75'000'000};  // idle between requests: silent close
    base::micros header{30'000'000};      // from the first byte of a head to its end: 408
    base::micros proxy_header{5'000'000}; // from accepting to the end of a PROXY header: silent close (IP-32)
    base::micros body{60'000'000};        // between two reads or writes: 408 or close
    base::micros drain{30'000'000};       // most that SIGTERM waits for exchanges in flight
    base::micros pre_drain{0};            // after SIGTERM, still accepting but not ready
};

enum class field_style : std::uint8_t { draft, triple, x_ratelimit };
enum class reset_style : std::uint8_t { epoch, delta };
enum class member_list : std::uint8_t { tightest, all };
enum class rejection_body : std::uint8_t { problem, text, file };

struct response_settings {
    std::vector<field_style> rate_limit_fields{field_style::draft}; // empty: off
    bool on_success = true;
    member_list members = member_list::tightest;
    reset_style reset = reset_style::epoch; // of X-RateLimit-Reset
    unsigned retry_jitter_percent = 0;
    unsigned rejection_status = 429;
    rejection_body body = rejection_body::problem;
    std::string body_template; // of rejection_body::file: the file's text
    std::string template_media_type = "text/html; charset=utf-8";
    std::string api_key_challenges = "WWW-Authenticate: ApiKey realm=\"api\"\r\n"; // lines of a 401 for want of a key (AK-9)
};

enum class unknown_key : std::uint8_t { reject, anonymous }; // anonymous: as if there were none

struct api_key_settings {
    std::vector<credential_source> from;       // in order; empty: no API key is ever read
    std::shared_ptr<api_key_book const> known; // null: whatever key a caller presents is taken
    unknown_key on_unknown = unknown_key::reject;
    bool strip_query = false; // a key's query parameter is not forwarded
};

struct admin_settings {
    bind_address address;
    std::string token; // empty: read-only
};

struct access_log_settings {
    bool enabled = true;
};

struct settings {
    unsigned workers = 0; // 0: as many as this process may use cores
    std::vector<listener> listeners;
    std::optional<admin_settings> admin;
    std::optional<limiter::redis_settings> redis;
    partition::client_settings client;
    std::string forwarded_by; // what this gateway calls itself in Forwarded (IP-26); empty: nothing
    api_key_settings api_keys;
    std::optional<auth::token_settings> tokens; // auth.jwt
    deny_list deny;                             // on every route
    message_limits limits;
    downstream_timeouts timeouts;
    response_settings responses;
    access_log_settings access_log;
    std::uint32_t gateways_at_least = 1; // of the fleet, whatever Redis knows of them
    std::size_t memory_keys = 1'000'000; // most counters held in this process
    std::size_t max_waiters = 10'000;    // most requests that wait in queues, over all keys
    std::string via_name = "penstock";
};

} // namespace penstock::conf
