// A socket that accepts connections: TCP with SO_REUSEPORT, so that every worker has its own, or one unix socket of which
// every worker has a duplicate. I/O.
#pragma once

#include "base/ip_address.hpp"
#include "base/result.hpp"
#include "conf/settings.hpp"
#include "proxy/stream.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <optional>
#include <string>

namespace penstock::gateway {

struct accepted_connection {
    proxy::stream_socket socket;
    std::optional<base::ip_address> peer; // absent on a unix socket
};

// An open, bound, listening descriptor. Closes itself.
class bound_socket {
public:
    explicit bound_socket(int descriptor) noexcept : descriptor_(descriptor) {}
    bound_socket(bound_socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    bound_socket& operator=(bound_socket&& other) noexcept
    {
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }
    ~bound_socket();

    [[nodiscard]] int release() noexcept { return std::exchange(descriptor_, -1); }
    [[nodiscard]] base::result<bound_socket> duplicate() const; // for a unix socket
    [[nodiscard]] std::uint16_t port() const noexcept;          // as the system chose it; 0 for a unix socket

private:
    int descriptor_;
};

// `port` overrides the address's own (for the second worker, where the system chose for the first).
base::result<bound_socket> bind_and_listen(conf::bind_address const& address, std::uint16_t port);

class listening_socket {
public:
    listening_socket(boost::asio::io_context& worker, bound_socket socket);

    // The next connection; waits for one. Errors that concern one connection only are passed over.
    boost::asio::awaitable<base::result<accepted_connection>> accept();
    // One that is waiting already, or would_block.
    base::result<accepted_connection> try_accept();
    void close() noexcept;

private:
    boost::asio::io_context& worker_;
    boost::asio::posix::stream_descriptor descriptor_;
};

} // namespace penstock::gateway
