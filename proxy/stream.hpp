// One connection, downstream or upstream, TCP or unix: non-blocking reads and writes, and waits that have a deadline. I/O.
// Reads and writes are tried at once; only when the kernel says "not now" does a coroutine wait for readiness, so that a
// connection that waits holds no buffer. Owned and used by one worker's thread.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "proxy/deadline.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>

#include <array>
#include <span>
#include <string_view>

namespace penstock::proxy {

using stream_socket = boost::asio::generic::stream_protocol::socket;

// Up to four pieces that leave in one write.
class gather {
public:
    void add(std::string_view piece) noexcept
    {
        if (!piece.empty()) pieces_[size_++] = boost::asio::const_buffer(piece.data(), piece.size());
    }
    [[nodiscard]] std::span<boost::asio::const_buffer const> pieces() const noexcept { return {pieces_.data() + first_, size_ - first_}; }
    [[nodiscard]] bool done() const noexcept { return first_ == size_; }
    void consume(std::size_t n) noexcept;

private:
    std::array<boost::asio::const_buffer, 4> pieces_;
    std::size_t first_ = 0;
    std::size_t size_ = 0;
};

class stream {
public:
    // `socket` is open; it becomes non-blocking.
    stream(stream_socket socket, deadline_wheel& wheel);
    stream(stream const&) = delete;
    stream& operator=(stream const&) = delete;

    // Bytes read, 0 at the end of the stream; would_block when there is nothing now.
    base::result<std::size_t> try_read(std::span<char> into) noexcept;
    // Writes as much as goes now and consumes it from `out`; would_block when the rest must wait.
    base::error_code try_write(gather& out) noexcept;

    // Waits until reading (writing) is worth a try: timed_out when `timeout` has passed, operation_aborted after cancel.
    // One reader and one writer may wait at the same time.
    boost::asio::awaitable<base::error_code> readable(base::micros timeout);
    boost::asio::awaitable<base::error_code> writable(base::micros timeout);

    // Reads at least one byte or the end (0).
    boost::asio::awaitable<base::result<std::size_t>> read_some(std::span<char> into, base::micros timeout);
    boost::asio::awaitable<base::error_code> write_all(gather& out, base::micros timeout);

    // Nothing unexpected has arrived on this idle connection and the peer has not closed it.
    [[nodiscard]] bool is_quiet() noexcept;

    void shutdown_write() noexcept;
    void cancel_reading() noexcept; // ends the reader's wait, now or as soon as it starts one
    void allow_reading() noexcept { reading_.cancelled = false; }
    void cancel() noexcept;         // ends both waits likewise
    void close() noexcept;
    // Closes so that the peer sees a reset: an answer that was cut short must not look complete.
    void abort() noexcept;
    [[nodiscard]] bool is_open() const noexcept { return socket_.is_open(); }
    [[nodiscard]] stream_socket& socket() noexcept { return socket_; }

private:
    // The wait of one direction.
    struct wait final : deadline {
        wait(deadline_wheel& wheel, stream& owner) noexcept : deadline(wheel), owner_(owner) {}
        void on_deadline() noexcept override;
        stream& owner_;
        bool timed_out = false;
        bool cancelled = false;
    };
    boost::asio::awaitable<base::error_code> ready(wait& direction, boost::asio::socket_base::wait_type what, base::micros timeout);
    void wake() noexcept;

    stream_socket socket_;
    wait reading_;
    wait writing_;
};

} // namespace penstock::proxy
