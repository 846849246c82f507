// Why a request could not be forwarded or its answer not be relayed: what happened and whose side it was. gateway/respond
// gives each kind its status. Pure value.
#pragma once

#include <cstdint>
#include <string_view>

namespace penstock::proxy {

struct failure {
    enum class kind : std::uint8_t {
        no_endpoint,         // every endpoint of the upstream is resting after failures
        connect_refused,     // no connection could be made
        connect_timed_out,   // upstream_timeouts::connect has passed
        broken,              // the connection ended before the answer was complete
        bad_answer,          // what came is no HTTP/1 response to what was asked
        answer_timed_out,    // upstream_timeouts::response or idle has passed
        client_gone,         // the client left
        client_body_cut,     // the client ended its side in the middle of the request body, and may still be listening
        client_body_invalid, // the framing of the request body is invalid
        client_timed_out,    // the client stopped sending its body
        body_too_large,      // the request body exceeds its limit
    };
    kind what = kind::broken;
    // Nothing of the request can have been acted upon, or it was on a connection that the upstream had already closed.
    bool retryable = false;
};

// The metric label and log value: "connect_refused", ...
std::string_view name_of(failure::kind what) noexcept;

} // namespace penstock::proxy
