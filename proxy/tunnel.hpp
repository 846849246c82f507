// Two connections joined after 101 Switching Protocols: bytes pass both ways unread, an end of one direction is passed on
// (half-close), silence in both for too long ends it. I/O; one worker's thread.
#pragma once

#include "base/clock.hpp"
#include "proxy/byte_buffer.hpp"
#include "proxy/stream.hpp"

#include <boost/asio/awaitable.hpp>

namespace penstock::proxy {

// One end: its connection, and what was received from it already.
struct tunnel_end {
    stream& link;
    byte_buffer& received;
};

struct tunnel_traffic {
    std::uint64_t bytes_from_client = 0;
    std::uint64_t bytes_from_upstream = 0;
};

// Returns when both directions have ended. Both connections are then of no further use.
boost::asio::awaitable<tunnel_traffic> run_tunnel(tunnel_end client, tunnel_end upstream, base::micros idle);

} // namespace penstock::proxy
