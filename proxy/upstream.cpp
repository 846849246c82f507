#include "proxy/upstream.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <cerrno>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace penstock::proxy {
namespace asio = boost::asio;
namespace {

base::error_code last_error() noexcept { return {errno, boost::system::system_category()}; }

// What became of a connect() that was under way.
base::error_code connect_error(int fd) noexcept
{
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return last_error();
    return {error, boost::system::system_category()};
}

} // namespace

upstream::upstream(upstream_spec spec, poller& events) : spec_(std::move(spec)), events_(events), picker_(spec_)
{
    for (auto const& server : spec_.servers) {
        auto& made = endpoints_.emplace_back();
        base::error_code no_literal;
        auto const address = asio::ip::make_address(server.host, no_literal);
        if (!server.unix_path.empty())
            made.fixed = asio::local::stream_protocol::endpoint(server.unix_path);
        else if (!no_literal)
            made.fixed = asio::ip::tcp::endpoint(address, server.port);
        else
            made.names.emplace(events_.worker(), server.host, server.port);
    }
}

asio::awaitable<base::result<std::unique_ptr<stream>>> upstream::open_one(stream_address address, base::micros timeout)
{
    descriptor socket(::socket(address.protocol().family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket.is_open()) co_return last_error();
    if (address.protocol().family() != AF_UNIX) {
        int const on = 1;
        ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); // without it only slower
    }
    auto const connected = ::connect(socket.get(), address.data(), static_cast<socklen_t>(address.size()));
    auto const why = errno;
    // Watched from here on: before, an edge of the unconnected socket would be taken for its being writable.
    auto link = std::make_unique<stream>(std::move(socket), events_);
    if (connected == 0) co_return link;
    errno = why;
    if (errno != EINPROGRESS) co_return last_error(); // a unix socket whose queue is full says EAGAIN: busy is refused
    if (auto const waited = co_await link->writable(timeout)) co_return waited;
    if (auto const failed = connect_error(link->native_handle())) co_return failed;
    co_return link;
}

asio::awaitable<base::result<std::unique_ptr<stream>>> upstream::open(endpoint& target)
{
    auto const by = base::clock::now() + spec_.timeouts.connect;
    if (target.fixed) co_return co_await open_one(*target.fixed, spec_.timeouts.connect);

    auto const addresses = co_await target.names->addresses(spec_.timeouts.connect);
    if (!addresses) co_return addresses.error();
    base::error_code why = asio::error::timed_out;
    for (auto const& address : *addresses) {
        auto const left = by - base::clock::now();
        if (left <= base::micros{0}) break;
        auto link = co_await open_one(address, left);
        if (link) co_return std::move(*link);
        why = link.error();
    }
    target.names->suspect();
    co_return why;
}

std::optional<upstream::connection> upstream::take_idle()
{
    if (!turn_) turn_ = picker_.pick(base::clock::now());
    if (!turn_) return std::nullopt;
    auto link = endpoints_[*turn_].idle.take();
    if (!link) return std::nullopt;
    picker_.started(*turn_);
    return connection{std::move(link), *std::exchange(turn_, std::nullopt), true};
}

asio::awaitable<base::result<upstream::connection, failure>> upstream::connect(std::optional<std::size_t> not_this)
{
    auto const turn = std::exchange(turn_, std::nullopt);
    auto const picked = turn && !not_this ? turn : picker_.pick(base::clock::now(), not_this);
    if (!picked) co_return failure{failure::kind::no_endpoint, false};
    auto& target = endpoints_[*picked];
    picker_.started(*picked);
    auto link = co_await open(target);
    if (!link) {
        picker_.ended(*picked);
        picker_.failed(*picked, base::clock::now());
        auto const late = link.error() == asio::error::timed_out;
        co_return failure{late ? failure::kind::connect_timed_out : failure::kind::connect_refused, true};
    }
    picker_.succeeded(*picked);
    co_return connection{std::move(*link), *picked, false};
}

void upstream::give_back(connection done)
{
    picker_.ended(done.endpoint);
    endpoints_[done.endpoint].idle.put(std::move(done.link), base::clock::now());
}

void upstream::drop(connection done) noexcept { picker_.ended(done.endpoint); }

void upstream::expire(base::instant now) noexcept
{
    for (auto& target : endpoints_) target.idle.expire(now - spec_.timeouts.idle);
}

} // namespace penstock::proxy
