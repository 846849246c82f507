// The addresses of one host name, looked up in the background and looked up anew when they are old, so that an upstream may
// move (a container restarted, a DNS record changed). Old addresses serve while the new look-up runs. I/O; one worker's
// thread. Literal addresses never reach it.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <string>
#include <vector>

namespace penstock::proxy {

class name_cache {
public:
    using endpoints = std::vector<boost::asio::ip::tcp::endpoint>;

    name_cache(boost::asio::io_context& worker, std::string host, std::uint16_t port);

    // At least one address, or why there is none; waits at most `timeout`, and only if no address is known yet.
    boost::asio::awaitable<base::result<endpoints>> addresses(base::micros timeout);

    // The addresses did not work: look them up before the next use.
    void suspect() noexcept;

private:
    // Kept alive by a look-up under way, so that the cache may go before it ends.
    struct lookup {
        explicit lookup(boost::asio::io_context& worker) : resolver(worker) {}
        boost::asio::ip::tcp::resolver resolver;
        endpoints found;
        base::error_code error;
        base::instant fresh_until{};
        bool running = false;
        std::vector<boost::asio::steady_timer*> waiting;
    };
    void start();

    std::string host_;
    std::string port_;
    std::shared_ptr<lookup> lookup_;
};

} // namespace penstock::proxy
