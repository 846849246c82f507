// One socket to Redis or a sentinel, in clear or under TLS, from its opening to its close: resolves, connects, shakes hands,
// writes what was appended, reads. Everything appended in one turn of the loop leaves in one write, without a timer. Decides
// nothing: reports to its listener. A new connection is a new object, so that nothing late of an old one can be taken for
// the new one's. I/O.
#pragma once

#include "base/result.hpp"
#include "limiter/redis/redis_settings.hpp"
#include "limiter/redis/tls_context.hpp"

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::limiter::redis {

// TLS, as far as one connection is concerned.
struct tls_terms {
    tls_context_ptr context;
    std::string server_name; // what the certificate must name
};

class connection : public std::enable_shared_from_this<connection> {
public:
    // Called on the worker's thread, never from within a call of ours, and not any more after close().
    class listener {
    public:
        listener() = default;
        listener(listener const&) = delete;
        listener& operator=(listener const&) = delete;
        virtual void on_connected() = 0;
        virtual void on_bytes(std::span<char const> received) = 0;
        // `words` say more than `why`, or are empty.
        virtual void on_broken(base::error_code why, std::string_view words) = 0;

    protected:
        ~listener() = default;
    };

    connection(boost::asio::io_context& worker, listener& to) noexcept
        : worker_(worker), listener_(&to), resolver_(worker), socket_(worker)
    {}

    // Resolves a name anew, tries each address in turn. Of an address there is nothing to resolve.
    void open(redis_address const& target, std::optional<tls_terms> const& tls);
    void open_unix(std::string const& path);
    // Bytes to send: append, then flush().
    std::string& outgoing() noexcept { return waiting_; }
    void flush();
    void close() noexcept;

private:
    using socket = boost::asio::generic::stream_protocol::socket;
    using endpoints = std::vector<boost::asio::generic::stream_protocol::endpoint>;
    void connect(endpoints const& to);
    void shake_hands();
    void write();
    void read();
    void broken(base::error_code why, std::string_view words = {});

    boost::asio::io_context& worker_;
    listener* listener_; // null: closed
    boost::asio::ip::tcp::resolver resolver_;
    socket socket_;
    std::optional<boost::asio::ssl::stream<socket&>> tls_; // over socket_; none: in clear
    std::string waiting_;                                  // to be written next
    std::string writing_;                                  // being written
    bool write_ahead_ = false;                             // a write is under way or posted
    std::array<char, 16384> received_;
};

} // namespace penstock::limiter::redis
