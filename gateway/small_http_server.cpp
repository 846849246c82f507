#include "gateway/small_http_server.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

#include <chrono>
#include <exception>

namespace penstock::gateway {
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace {

constexpr std::chrono::seconds patience{30};
constexpr std::chrono::milliseconds accept_pause{100}; // when descriptors have run out (OP-47)
constexpr std::uint64_t most_body = 16 << 20;          // the demo invites uploads
constexpr auto quietly = asio::as_tuple(asio::use_awaitable);

} // namespace

small_http_server::small_http_server(asio::io_context& loop, handler answer)
    : loop_(loop), acceptor_(loop), answer_(std::move(answer))
{}

base::result<void> small_http_server::listen(asio::ip::tcp::endpoint const& at)
{
    base::error_code ec;
    acceptor_.open(at.protocol(), ec);
    if (!ec) acceptor_.set_option(asio::socket_base::reuse_address(true), ec);
    if (!ec) acceptor_.bind(at, ec);
    if (!ec) acceptor_.listen(asio::socket_base::max_listen_connections, ec);
    if (ec) return ec;
    auto const ended = [](std::exception_ptr thrown) {
        if (thrown) std::rethrow_exception(thrown);
    };
    asio::co_spawn(loop_, accept(), ended);
    return boost::system::in_place_value;
}

asio::ip::tcp::endpoint small_http_server::endpoint() const
{
    base::error_code ignored; // not open: the empty endpoint
    return acceptor_.local_endpoint(ignored);
}

void small_http_server::stop()
{
    base::error_code ignored; // the descriptor is released whatever close() says
    acceptor_.close(ignored);
}

asio::awaitable<void> small_http_server::accept()
{
    while (acceptor_.is_open()) {
        auto [ec, socket] = co_await acceptor_.async_accept(quietly);
        if (ec && acceptor_.is_open()) { // who waits is there still: asked again at once it would fail again at once
            asio::steady_timer pause(loop_, accept_pause);
            auto const [ignored] = co_await pause.async_wait(quietly);
            static_cast<void>(ignored);
        }
        if (ec || connections_ == most_connections) continue; // a socket that is not kept closes
        ++connections_;
        auto const ended = [this](std::exception_ptr) { --connections_; }; // one connection's trouble is its own
        asio::co_spawn(loop_, serve(std::move(socket)), ended);
    }
}

asio::awaitable<void> small_http_server::serve(asio::ip::tcp::socket socket)
{
    base::error_code ignored; // without it only slower
    socket.set_option(asio::ip::tcp::no_delay(true), ignored);
    beast::tcp_stream stream(std::move(socket));
    beast::flat_buffer buffer;
    for (auto keep = true; keep;) {
        http::request_parser<http::string_body> parser;
        parser.body_limit(most_body);
        stream.expires_after(patience);
        auto const [read_error, read] = co_await http::async_read(stream, buffer, parser, quietly);
        static_cast<void>(read);
        if (read_error) break;
        auto const& asked = parser.get();
        auto answer = co_await answer_(asked);
        answer.version(asked.version());
        answer.keep_alive(asked.keep_alive());
        answer.content_length(answer.body().size());
        if (asked.method() == http::verb::head) answer.body().clear();
        keep = asked.keep_alive();
        stream.expires_after(patience);
        http::response_serializer<http::string_body> serializer(answer);
        auto const [write_error, written] = co_await http::async_write(stream, serializer, quietly);
        static_cast<void>(written);
        if (write_error) break;
    }
    stream.socket().shutdown(asio::socket_base::shutdown_send, ignored);
}

} // namespace penstock::gateway
