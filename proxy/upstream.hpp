// One upstream as one worker sees it: its endpoints with their idle connections and addresses, which one is next, and how
// a connection to it is made. I/O; one worker's thread. Outlives reloads that leave the upstream unchanged.
#pragma once

#include "base/result.hpp"
#include "proxy/deadline.hpp"
#include "proxy/endpoint_picker.hpp"
#include "proxy/failure.hpp"
#include "proxy/idle_pool.hpp"
#include "proxy/name_cache.hpp"
#include "proxy/stream.hpp"
#include "proxy/upstream_spec.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>

#include <deque>
#include <memory>
#include <optional>

namespace penstock::proxy {

using stream_address = boost::asio::generic::stream_protocol::endpoint;

class upstream {
public:
    upstream(upstream_spec spec, poller& events);

    // A connection to an endpoint, counted as in flight until give_back() or drop().
    struct connection {
        std::unique_ptr<stream> link;
        std::size_t endpoint = 0;
        bool reused = false; // it has carried an exchange before, so its upstream may have closed it by now
    };
    enum class freshness : bool { any, new_only };

    // An idle connection to the endpoint whose turn it is; nothing if that one has none.
    std::optional<connection> take_idle();
    // A new connection, to the endpoint that take_idle() looked at last if there is no reason against it. `not_this`: the
    // endpoint that has just failed for this request.
    boost::asio::awaitable<base::result<connection, failure>> connect(std::optional<std::size_t> not_this);

    // The exchange is over and the connection may carry another.
    void give_back(connection done);
    // The exchange is over and the connection is not to be used again.
    void drop(connection done) noexcept;

    // Closes connections that have been idle for too long. Call now and then.
    void expire(base::instant now) noexcept;

    [[nodiscard]] upstream_spec const& spec() const noexcept { return spec_; }
    [[nodiscard]] bool is_resting(std::size_t server, base::instant now) const noexcept
    {
        return picker_.is_resting(server, now);
    }

private:
    struct endpoint {
        idle_pool idle;
        std::optional<name_cache> names;     // a host name
        std::optional<stream_address> fixed; // a literal address or a unix socket
    };
    boost::asio::awaitable<base::result<std::unique_ptr<stream>>> open(endpoint& target);
    boost::asio::awaitable<base::result<std::unique_ptr<stream>>> open_one(stream_address address, base::micros timeout);

    upstream_spec spec_;
    poller& events_;
    endpoint_picker picker_;
    std::deque<endpoint> endpoints_;
    std::optional<std::size_t> turn_; // picked by take_idle() in vain, for the next call, which follows at once
};

} // namespace penstock::proxy
