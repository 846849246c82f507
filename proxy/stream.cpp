#include "proxy/stream.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cerrno>

#include <sys/socket.h>
#include <sys/uio.h>

namespace penstock::proxy {
namespace asio = boost::asio;
namespace {

base::error_code last_error() noexcept { return {errno, boost::system::system_category()}; }

bool is_would_block(base::error_code const& ec) noexcept
{
    return ec == asio::error::would_block || ec == asio::error::try_again;
}

} // namespace

void gather::consume(std::size_t n) noexcept
{
    while (first_ < size_ && n >= pieces_[first_].size()) n -= pieces_[first_++].size();
    if (first_ < size_) pieces_[first_] += n;
}

stream::stream(stream_socket socket, deadline_wheel& wheel)
    : socket_(std::move(socket)), reading_(wheel, *this), writing_(wheel, *this)
{
    base::error_code ignored; // a socket that cannot be made non-blocking fails at its first read
    socket_.native_non_blocking(true, ignored);
}

base::result<std::size_t> stream::try_read(std::span<char> into) noexcept
{
    for (;;) {
        auto const n = ::recv(socket_.native_handle(), into.data(), into.size(), 0);
        if (n >= 0) return static_cast<std::size_t>(n);
        if (errno != EINTR) return last_error();
    }
}

base::error_code stream::try_write(gather& out) noexcept
{
    while (!out.done()) {
        std::array<iovec, 4> parts;
        std::size_t count = 0;
        for (auto const& piece : out.pieces()) parts[count++] = {const_cast<void*>(piece.data()), piece.size()};
        msghdr message{};
        message.msg_iov = parts.data();
        message.msg_iovlen = count;
        auto const n = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL);
        if (n >= 0) out.consume(static_cast<std::size_t>(n));
        else if (errno != EINTR) return last_error();
    }
    return {};
}

asio::awaitable<base::error_code> stream::ready(wait& direction, asio::socket_base::wait_type what, base::micros timeout)
{
    direction.timed_out = false;
    direction.expires_at(base::clock::now() + timeout);
    base::error_code result;
    for (;;) {
        if (direction.cancelled) {
            result = asio::error::operation_aborted;
            break;
        }
        auto const [ec] = co_await socket_.async_wait(what, asio::as_tuple(asio::use_awaitable));
        if (direction.timed_out) {
            result = asio::error::timed_out;
            break;
        }
        // The other direction was woken, and the socket knows only how to wake both: wait on.
        if (ec == asio::error::operation_aborted && !direction.cancelled && socket_.is_open()) continue;
        result = ec;
        break;
    }
    direction.expires_never();
    co_return result;
}

asio::awaitable<base::error_code> stream::readable(base::micros timeout) { return ready(reading_, asio::socket_base::wait_read, timeout); }
asio::awaitable<base::error_code> stream::writable(base::micros timeout) { return ready(writing_, asio::socket_base::wait_write, timeout); }

asio::awaitable<base::result<std::size_t>> stream::read_some(std::span<char> into, base::micros timeout)
{
    for (;;) {
        auto const n = try_read(into);
        if (n || !is_would_block(n.error())) co_return n;
        if (auto const ec = co_await readable(timeout)) co_return ec;
    }
}

asio::awaitable<base::error_code> stream::write_all(gather& out, base::micros timeout)
{
    for (;;) {
        auto const ec = try_write(out);
        if (!is_would_block(ec)) co_return ec;
        if (auto const failed = co_await writable(timeout)) co_return failed;
    }
}

bool stream::is_quiet() noexcept
{
    char byte = 0;
    auto const n = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

void stream::shutdown_write() noexcept
{
    base::error_code ignored; // the peer may have gone already
    socket_.shutdown(asio::socket_base::shutdown_send, ignored);
}

void stream::wake() noexcept
{
    base::error_code ignored; // nothing waits: nothing to end
    socket_.cancel(ignored);
}

void stream::cancel_reading() noexcept
{
    reading_.cancelled = true;
    wake();
}

void stream::cancel() noexcept
{
    reading_.cancelled = writing_.cancelled = true;
    wake();
}

void stream::close() noexcept
{
    base::error_code ignored; // the descriptor is released whatever close() says
    socket_.close(ignored);
}

void stream::abort() noexcept
{
    base::error_code ignored; // a unix socket has no linger; closing is enough there
    socket_.set_option(asio::socket_base::linger(true, 0), ignored);
    close();
}

void stream::wait::on_deadline() noexcept
{
    timed_out = true;
    owner_.wake();
}

} // namespace penstock::proxy
