// Readiness of all connections of one worker. Each connection is registered with the kernel once, edge-triggered, for as long
// as it lives; what it can do at the moment is remembered in the stream. So a request costs no registration and no read
// that finds nothing, which is most of the difference to waiting on each socket through Asio (docs/adr/0009). Asio's own
// loop sees one descriptor, this poller's. I/O; one worker's thread.
#pragma once

#include "base/result.hpp"
#include "proxy/deadline.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/intrusive/list.hpp>

#include <array>
#include <cstdint>
#include <span>

struct epoll_event;

namespace penstock::proxy {

class poller;

// What a poller watches.
class watched : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
protected:
    watched() = default;
    virtual ~watched() = default;

private:
    friend class poller;
    virtual void on_ready(std::uint32_t events) = 0; // of epoll; may destroy this or any other
    virtual void on_stop() = 0;                      // every wait is to end
};

class poller {
public:
    // Starts watching at once. `wheel` outlives the poller.
    poller(boost::asio::io_context& worker, deadline_wheel& wheel);
    ~poller() = default;
    poller(poller const&) = delete;
    poller& operator=(poller const&) = delete;

    base::error_code add(watched& connection, int descriptor) noexcept;
    // Before the descriptor is closed. Events of it that are already known will not be delivered.
    void remove(watched& connection) noexcept;

    // Ends every wait of every connection, now and from now on, and the watching itself.
    void stop();
    [[nodiscard]] bool is_stopped() const noexcept { return stopped_; }

    [[nodiscard]] boost::asio::io_context& worker() noexcept { return worker_; }
    [[nodiscard]] deadline_wheel& wheel() noexcept { return wheel_; }

private:
    void watch();
    void deliver();

    boost::asio::io_context& worker_;
    deadline_wheel& wheel_;
    boost::asio::posix::stream_descriptor epoll_;
    boost::intrusive::list<watched, boost::intrusive::constant_time_size<false>> connections_;
    std::span<epoll_event> known_; // being delivered
    bool stopped_ = false;
};

} // namespace penstock::proxy
