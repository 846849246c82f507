#include "gateway/healthcheck.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <chrono>
#include <exception>
#include <iostream>

namespace penstock::gateway {
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace {

constexpr std::chrono::seconds patience{3};

asio::awaitable<std::string> ask(std::string host, std::string port)
{
    auto const executor = co_await asio::this_coro::executor;
    asio::ip::tcp::resolver resolver(executor);
    auto const found = co_await resolver.async_resolve(host, port, asio::use_awaitable);
    beast::tcp_stream stream(executor);
    stream.expires_after(patience);
    co_await stream.async_connect(found, asio::use_awaitable);
    http::request<http::empty_body> request(http::verb::get, "/readyz", 11);
    request.set(http::field::host, host);
    request.set(http::field::connection, "close");
    co_await http::async_write(stream, request, asio::use_awaitable);
    beast::flat_buffer buffer;
    http::response<http::string_body> response;
    co_await http::async_read(stream, buffer, response, asio::use_awaitable);
    co_return response.result() == http::status::ok ? std::string() : response.body();
}

} // namespace

exit_status check_health(std::string const& admin)
{
    auto const colon = admin.rfind(':');
    if (colon == std::string::npos || colon + 1 == admin.size()) {
        std::cerr << "healthcheck: --admin wants host:port, such as 127.0.0.1:9901\n";
        return exit_status::usage;
    }
    auto host = admin.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);

    asio::io_context loop(1);
    auto status = exit_status::refused;
    auto const ended = [&](std::exception_ptr thrown, std::string const& complaint) {
        if (!thrown && complaint.empty())
            status = exit_status::done;
        else if (!thrown)
            std::cerr << complaint;
        try {
            if (thrown) std::rethrow_exception(thrown);
        } catch (boost::system::system_error const& error) {
            auto const refused = error.code() == asio::error::connection_refused;
            std::cerr << "healthcheck: " << admin << ": " << (refused ? "nothing listens there" : error.code().message())
                      << "\n";
        } catch (std::exception const& error) {
            std::cerr << "healthcheck: " << admin << ": " << error.what() << "\n";
        }
    };
    asio::co_spawn(loop, ask(host, admin.substr(colon + 1)), ended);
    loop.run_for(patience);
    return status;
}

} // namespace penstock::gateway
