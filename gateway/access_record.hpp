// What happened to one request, as far as metrics and the access log want to know; and the log line made of it: one JSON
// object with ECS field names (OP-30..OP-34). Secrets never enter: keys appear as their partition key has them, queries
// without the values of parameters that carry credentials (OP-33). Pure.
#pragma once

#include "base/clock.hpp"
#include "base/request_facts.hpp"
#include "conf/credential_source.hpp"
#include "gateway/credential_refusal.hpp"
#include "limiter/admit.hpp"
#include "limiter/claim.hpp"
#include "proxy/failure.hpp"
#include "proxy/route_table.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace penstock::gateway {

enum class denied_by : std::uint8_t { address, api_key };
std::string_view name_of(denied_by what) noexcept;

struct access_record {
    base::instant started{};
    unsigned status = 0;              // sent to the client; 0: none
    std::uint64_t response_bytes = 0; // content
    std::uint64_t request_bytes = 0;  // content that was forwarded
    proxy::route const* route = nullptr;
    limiter::claims const* asked = nullptr;          // one for each ruling
    limiter::admission_ruling const* gate = nullptr; // null: refused before any limit was looked at
    base::micros check_time{0};
    base::micros queued{0};        // in the queues of limits, with what was asked meanwhile
    std::string_view upstream;     // name; empty: not forwarded
    std::string_view server;       // label of the endpoint
    base::micros upstream_time{0}; // until the head of the answer
    std::optional<proxy::failure::kind> failure;
    std::optional<denied_by> denied; // by a deny list
    credential_refusal credentials = credential_refusal::none;
    std::string_view api_key_name;                            // of a known API key: whose it is
    std::span<conf::credential_source const> api_key_sources; // among them the query parameters that hold secrets
};

// Appends one line with its newline. `when_us`: wall clock. Any byte of the request may be in `facts`: all are escaped.
void append_access_line(std::string& out, access_record const& record, base::request_facts const& facts, unsigned minor_version,
                        std::int64_t when_us, base::micros duration);

} // namespace penstock::gateway
