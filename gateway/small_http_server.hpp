// A plain HTTP/1.1 server for the program's own pages: the admin interface and the demo's upstream. Small messages, few
// clients; traffic goes through listener, session and exchange instead. I/O; runs on the io_context that it is given.
#pragma once

#include "base/result.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include <functional>
#include <memory>

namespace penstock::gateway {

class small_http_server {
public:
    using request = boost::beast::http::request<boost::beast::http::string_body>;
    using response = boost::beast::http::response<boost::beast::http::string_body>;
    // Fills status, fields and body; version and connection handling are the server's. The request outlives the call.
    using handler = std::function<boost::asio::awaitable<response>(request const&)>;

    static constexpr std::size_t most_connections = 1024;

    small_http_server(boost::asio::io_context& loop, handler answer);
    small_http_server(small_http_server const&) = delete;
    small_http_server& operator=(small_http_server const&) = delete;

    // Binds, listens and accepts from now on; the port is known afterwards.
    base::result<void> listen(boost::asio::ip::tcp::endpoint const& at);
    [[nodiscard]] boost::asio::ip::tcp::endpoint endpoint() const;
    void stop();

private:
    boost::asio::awaitable<void> accept();
    boost::asio::awaitable<void> serve(boost::asio::ip::tcp::socket socket);

    boost::asio::io_context& loop_;
    boost::asio::ip::tcp::acceptor acceptor_;
    handler answer_;
    std::size_t connections_ = 0;
};

} // namespace penstock::gateway
