// Whom a connection is for, as far as the connection itself says: who opened it, or whom its PROXY header names. Knows nothing
// of trusted networks and fields. Pure value; made by gateway/session, read by gateway/extract.
#pragma once

#include "base/ip_address.hpp"

#include <optional>

namespace penstock::gateway {

struct connected_peer {
    std::optional<base::ip_address> address{}; // absent on a unix socket
    // Its PROXY header names nobody (LOCAL, UNKNOWN, unspecified or unix addresses). HAProxy and nginx write that of connections
    // of their own and of callers without an address alike, so the fields that come over it may be anybody's.
    bool is_anonymous = false;
};

} // namespace penstock::gateway
