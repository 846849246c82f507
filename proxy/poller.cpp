#include "proxy/poller.hpp"

#include <boost/asio/error.hpp>

#include <cerrno>
#include <system_error>
#include <utility>

#include <sys/epoll.h>

namespace penstock::proxy {
namespace {

constexpr std::size_t batch = 256;

int open_epoll()
{
    auto const fd = ::epoll_create1(EPOLL_CLOEXEC);
    if (fd < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1"); // at start, before anything is served
    return fd;
}

} // namespace

poller::poller(boost::asio::io_context& worker, deadline_wheel& wheel)
    : worker_(worker), wheel_(wheel), epoll_(worker, open_epoll())
{
    watch();
}

base::error_code poller::add(watched& connection, int descriptor) noexcept
{
    if (stopped_) return boost::asio::error::operation_aborted; // nobody would ever wake it
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.ptr = &connection;
    if (::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_ADD, descriptor, &event) != 0)
        return {errno, boost::system::system_category()};
    connections_.push_back(connection);
    return {};
}

void poller::remove(watched& connection) noexcept
{
    if (connection.is_linked()) connection.unlink();
    for (auto& event : known_) {
        if (event.data.ptr == &connection) event.data.ptr = nullptr;
    }
}

void poller::watch()
{
    epoll_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](base::error_code ec) {
        if (ec || stopped_) return;
        deliver();
        if (!stopped_) watch();
    });
}

void poller::deliver()
{
    std::array<epoll_event, batch> events;
    auto const n = ::epoll_wait(epoll_.native_handle(), events.data(), static_cast<int>(events.size()), 0);
    if (n <= 0) return;
    known_ = std::span(events.data(), static_cast<std::size_t>(n));
    for (auto const& event : known_) {
        if (event.data.ptr) static_cast<watched*>(event.data.ptr)->on_ready(event.events);
    }
    known_ = {};
}

void poller::stop()
{
    stopped_ = true;
    base::error_code ignored; // nothing waits: nothing to end
    epoll_.cancel(ignored);
    for (auto& each : connections_) each.on_stop(); // posts; destroys nothing
}

} // namespace penstock::proxy
