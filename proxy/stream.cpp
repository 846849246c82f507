#include "proxy/stream.hpp"

#include <boost/asio/error.hpp>

#include <array>
#include <cerrno>

#include <sys/epoll.h>
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

ssize_t send_all(int socket, std::span<asio::const_buffer const> pieces) noexcept
{
    std::array<iovec, gather::most> parts;
    std::size_t count = 0;
    for (auto const& piece : pieces) parts[count++] = {const_cast<void*>(piece.data()), piece.size()};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = count;
    return ::sendmsg(socket, &message, MSG_NOSIGNAL);
}

} // namespace

void gather::consume(std::size_t n) noexcept
{
    while (first_ < size_ && n >= pieces_[first_].size()) n -= pieces_[first_++].size();
    if (first_ < size_) pieces_[first_] += n;
}

stream::stream(descriptor socket, poller& events)
    : socket_(std::move(socket)),
      events_(events),
      reading_(events.wheel(), events.worker()),
      writing_(events.wheel(), events.worker())
{
    if (events_.add(*this, socket_.get())) cancel();
}

stream::~stream() { close(); }

base::result<std::size_t> stream::try_read(std::span<char> into) noexcept
{
    for (;;) {
        auto const n = ::recv(socket_.get(), into.data(), into.size(), 0);
        if (n >= 0) {
            // Less than there was room for: the next byte will be announced. But the end may have been announced already.
            if (static_cast<std::size_t>(n) < into.size() && !peer_closed_) readable_ = false;
            return static_cast<std::size_t>(n);
        }
        if (errno == EAGAIN) readable_ = false;
        if (errno != EINTR) return last_error();
    }
}

base::error_code stream::try_write(gather& out) noexcept
{
    while (!out.done()) {
        auto const pieces = out.pieces();
        auto const n = pieces.size() == 1 ? ::send(socket_.get(), pieces.front().data(), pieces.front().size(), MSG_NOSIGNAL)
                                          : send_all(socket_.get(), pieces);
        if (n >= 0) {
            out.consume(static_cast<std::size_t>(n));
            continue;
        }
        if (errno == EAGAIN) writable_ = false;
        if (errno != EINTR) return last_error();
    }
    return {};
}

// The deadline stays set when the wait is over: without a waiter it has no effect.
bool stream::begin(wait& direction, bool is_ready, base::micros timeout, base::error_code& result) noexcept
{
    result = direction.cancelled ? base::error_code{asio::error::operation_aborted} : base::error_code{};
    if (direction.cancelled || is_ready) return false;
    direction.expires_after(timeout);
    return true;
}

bool stream::begin_read_wait(base::micros timeout, base::error_code& result) noexcept
{
    return begin(reading_, readable_, timeout, result);
}

asio::awaitable<base::error_code> stream::readable(base::micros timeout)
{
    base::error_code result;
    if (begin(reading_, readable_, timeout, result)) co_await reading_.waiter.wait(result);
    co_return result;
}

asio::awaitable<base::error_code> stream::writable(base::micros timeout)
{
    base::error_code result;
    if (begin(writing_, writable_, timeout, result)) co_await writing_.waiter.wait(result);
    co_return result;
}

asio::awaitable<base::result<std::size_t>> stream::read_some(std::span<char> into, base::micros timeout)
{
    for (;;) {
        if (readable_ && !reading_.cancelled) {
            auto const n = try_read(into);
            if (n || !is_would_block(n.error())) co_return n;
        }
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

void stream::on_ready(std::uint32_t happened)
{
    if ((happened & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
        peer_closed_ = true;
        if (closure_listener_) closure_listener_->on_peer_closed();
    }
    auto const reads = (happened & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    auto const writes = (happened & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0;
    readable_ = readable_ || reads;
    writable_ = writable_ || writes;
    // The writer's turn comes from the loop: whoever is resumed here may destroy this stream.
    if (writes && writing_.waiter.is_waiting()) {
        if (reads && reading_.waiter.is_waiting())
            writing_.end({});
        else
            return writing_.waiter.resume({});
    }
    if (reads && reading_.waiter.is_waiting()) reading_.waiter.resume({});
}

void stream::on_stop()
{
    cancel();
    if (closure_listener_) closure_listener_->on_peer_closed();
}

void stream::shutdown_write() noexcept { ::shutdown(socket_.get(), SHUT_WR); }

void stream::cancel_reading() noexcept
{
    reading_.cancelled = true;
    reading_.end(asio::error::operation_aborted);
}

void stream::cancel() noexcept
{
    cancel_reading();
    writing_.cancelled = true;
    writing_.end(asio::error::operation_aborted);
}

void stream::close() noexcept
{
    if (!socket_.is_open()) return;
    events_.remove(*this);
    socket_.close();
}

void stream::abort() noexcept
{
    linger const at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once,
                 sizeof at_once); // a unix socket has none; closing is enough there
    close();
}

void stream::wait::end(base::error_code why)
{
    if (waiter.is_waiting()) waiter.post(worker_.get_executor(), why);
}

void stream::wait::on_deadline() noexcept { end(asio::error::timed_out); }

} // namespace penstock::proxy
