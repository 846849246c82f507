// One connection of a client: reads heads, serves one request after the other, closes in a way that lets the client read
// the last answer. A session that waits for its next request holds no buffer. I/O; one worker's thread.
#pragma once

#include "base/ip_address.hpp"
#include "gateway/connected_peer.hpp"
#include "gateway/exchange.hpp"
#include "gateway/workspace.hpp"
#include "proxy/head_problem.hpp"
#include "proxy/proxy_header.hpp"
#include "proxy/stream.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/intrusive/list_hook.hpp>

#include <cstdint>
#include <memory>
#include <optional>

namespace penstock::gateway {

class worker;

// What an accepted connection begins with.
struct session_start {
    proxy::descriptor socket;             // non-blocking
    std::optional<base::ip_address> peer; // absent on a unix socket
    proxy::proxy_protocol preamble = proxy::proxy_protocol::off;
};

class session : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
public:
    session(worker& owner, proxy::poller& events, session_start start);

    // Serves until the connection ends.
    boost::asio::awaitable<void> run();

    // The worker drains: an idle connection ends now, a busy one after its answer.
    void drain() noexcept;

private:
    enum class head_result : std::uint8_t { complete, closed, timed_out, refused };
    // False: nothing is served on this connection. Lends `space` as long as bytes wait in it.
    boost::asio::awaitable<bool> read_proxy_header(std::unique_ptr<workspace>& space);
    boost::asio::awaitable<head_result> read_head(workspace& space);
    boost::asio::awaitable<void> refuse_head(workspace& space, head_result why);
    boost::asio::awaitable<void> linger();

    worker& owner_;
    proxy::stream link_;
    connected_peer peer_; // who opened the connection, or whom its PROXY header names (IP-40)
    proxy::head_problem problem_ = proxy::head_problem::none;
    std::size_t head_length_ = 0;
    bool idle_ = true;
    proxy::proxy_protocol preamble_; // to be read before anything else
};

} // namespace penstock::gateway
