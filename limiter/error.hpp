// Why the limiter could not be asked. "Refused" is not here: that is an answer. Each value is counted by name in
// penstock_store_errors_total{kind}.
#pragma once

#include "base/result.hpp"

#include <string_view>

namespace penstock::limiter {

enum class errc {
    timed_out = 1,    // no answer within check_timeout; the charge may have happened
    not_connected,    // no connection, or it broke before the answer
    breaker_open,     // the breaker is open: nothing was sent
    overloaded,       // too many checks are waiting on this connection
    loading,          // LOADING
    read_only,        // READONLY, MASTERDOWN
    cluster,          // CLUSTERDOWN, MOVED, ASK, TRYAGAIN, CROSSSLOT
    out_of_memory,    // OOM
    busy,             // BUSY
    refused_login,    // NOAUTH, WRONGPASS, NOPERM
    script,           // an error raised by the script or by Redis that has no kind of its own
    protocol,         // bytes that are no answer to what was asked
    no_writes,        // MISCONF, NOREPLICAS: the primary refuses to write
    too_many_clients, // the server has no connection left
    tls,              // no trust: the certificate or the handshake
    no_primary,       // no sentinel knows a primary that is one
};

boost::system::error_category const& error_category() noexcept;
base::error_code make_error_code(errc code) noexcept;
inline constexpr errc last_errc = errc::no_primary;
// The name used as the metric label: "timed_out", ...
std::string_view name_of(errc code) noexcept;

} // namespace penstock::limiter

template <>
struct boost::system::is_error_code_enum<penstock::limiter::errc> : std::true_type {};
