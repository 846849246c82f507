// A socket that accepts connections: TCP with SO_REUSEPORT, so that every worker has its own, or one unix socket of which
// every worker has a duplicate. I/O.
#pragma once

#include "base/ip_address.hpp"
#include "base/result.hpp"
#include "conf/settings.hpp"
#include "proxy/descriptor.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <optional>
#include <string>

namespace penstock::gateway {

struct accepted_connection {
    proxy::descriptor socket;             // non-blocking
    std::optional<base::ip_address> peer; // absent on a unix socket
};

// `port` overrides the address's own (for the second worker, where the system chose for the first).
base::result<proxy::descriptor> bind_and_listen(conf::bind_address const& address, std::uint16_t port);

// Whether nobody listens there. SO_REUSEPORT alone would let a second process take half of the connections, and with them
// grant every limit in memory twice.
base::error_code check_free(conf::bind_address const& address);
// Another descriptor of the same socket, for another worker.
base::result<proxy::descriptor> duplicate(proxy::descriptor const& socket);
// As the system chose it; 0 for a unix socket.
std::uint16_t port_of(proxy::descriptor const& socket) noexcept;

class listening_socket {
public:
    listening_socket(boost::asio::io_context& worker, proxy::descriptor socket, conf::listener settings);

    // The next connection; waits for one. Errors that concern one connection only are passed over.
    boost::asio::awaitable<base::result<accepted_connection>> accept();
    // One that is waiting already, or would_block.
    base::result<accepted_connection> try_accept();
    void close() noexcept;
    // As they were when it was bound: a reload changes no listener.
    [[nodiscard]] conf::listener const& settings() const noexcept { return settings_; }

private:
    boost::asio::posix::stream_descriptor descriptor_;
    conf::listener settings_;
};

} // namespace penstock::gateway
