// One connection, downstream or upstream, TCP or unix: non-blocking reads and writes, and waits that have a deadline. I/O.
// Reads and writes are tried where the last one left something to do; only else a coroutine waits for readiness, so that a
// connection that waits holds no buffer. Owned and used by one worker's thread.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "proxy/deadline.hpp"
#include "proxy/descriptor.hpp"
#include "proxy/poller.hpp"
#include "proxy/resumption.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>

#include <array>
#include <cassert>
#include <cstdint>
#include <span>
#include <string_view>

namespace penstock::proxy {

// Up to six pieces that leave in one write.
class gather {
public:
    static constexpr std::size_t most = 6;

    // At most `most` pieces that are not empty.
    void add(std::string_view piece) noexcept
    {
        assert(size_ < most || piece.empty());
        if (!piece.empty()) pieces_[size_++] = boost::asio::const_buffer(piece.data(), piece.size());
    }
    [[nodiscard]] std::span<boost::asio::const_buffer const> pieces() const noexcept
    {
        return {pieces_.data() + first_, size_ - first_};
    }
    [[nodiscard]] bool done() const noexcept { return first_ == size_; }
    void consume(std::size_t n) noexcept;

private:
    std::array<boost::asio::const_buffer, most> pieces_;
    std::size_t first_ = 0;
    std::size_t size_ = 0;
};

// Whoever wants to know that a peer has gone while it waits for something else.
class closure_listener {
public:
    virtual void on_peer_closed() = 0; // may end waits, destroys nothing

protected:
    closure_listener() = default;
    virtual ~closure_listener() = default;
};

class stream final : private watched {
public:
    // `socket` is a connected or connecting non-blocking socket. One that cannot be watched fails at its first wait.
    stream(descriptor socket, poller& events);
    stream(stream const&) = delete;
    stream& operator=(stream const&) = delete;
    ~stream() override;

    // Bytes read, 0 at the end of the stream; would_block when there is nothing now.
    base::result<std::size_t> try_read(std::span<char> into) noexcept;
    // Writes as much as goes now and consumes it from `out`; would_block when the rest must wait.
    base::error_code try_write(gather& out) noexcept;

    // Waits until reading (writing) is worth a try: timed_out when `timeout` has passed, operation_aborted after cancel.
    // One reader and one writer may wait at the same time.
    boost::asio::awaitable<base::error_code> readable(base::micros timeout);
    boost::asio::awaitable<base::error_code> writable(base::micros timeout);

    // readable() without a coroutine frame: true if the caller is to await read_wait(result), false if `result` is known.
    [[nodiscard]] bool begin_read_wait(base::micros timeout, base::error_code& result) noexcept;
    boost::asio::awaitable<void> read_wait(base::error_code& result) { return reading_.waiter.wait(result); }

    // Reads at least one byte or the end (0).
    boost::asio::awaitable<base::result<std::size_t>> read_some(std::span<char> into, base::micros timeout);
    boost::asio::awaitable<base::error_code> write_all(gather& out, base::micros timeout);

    // Nothing unexpected has arrived on this idle connection and the peer has not closed it, as far as is known.
    [[nodiscard]] bool is_quiet() const noexcept { return !readable_; }

    // Tells `listener` (null: nobody) when the peer closes or resets from now on, or everything is being stopped.
    void listen_for_closure(closure_listener* listener) noexcept { closure_listener_ = listener; }

    // The peer has closed or reset already, or everything is being stopped.
    [[nodiscard]] bool is_peer_gone() const noexcept { return peer_closed_ || events_.is_stopped(); }

    void shutdown_write() noexcept;
    void cancel_reading() noexcept; // ends the reader's wait, now or as soon as it starts one
    void allow_reading() noexcept { reading_.cancelled = false; }
    void cancel() noexcept; // ends both waits likewise
    void close() noexcept;
    // Closes so that the peer sees a reset: an answer that was cut short must not look complete.
    void abort() noexcept;
    [[nodiscard]] bool is_open() const noexcept { return socket_.is_open(); }
    [[nodiscard]] int native_handle() const noexcept { return socket_.get(); }
    [[nodiscard]] poller& events() noexcept { return events_; }

private:
    // The wait of one direction.
    struct wait final : deadline {
        wait(deadline_wheel& wheel, boost::asio::io_context& worker) noexcept : deadline(wheel), worker_(worker) {}
        void on_deadline() noexcept override;
        void end(base::error_code why); // if anybody waits
        resumption waiter;
        bool cancelled = false;

    private:
        boost::asio::io_context& worker_;
    };
    void on_ready(std::uint32_t happened) override;
    void on_stop() override;
    static bool begin(wait& direction, bool is_ready, base::micros timeout, base::error_code& result) noexcept;

    descriptor socket_;
    poller& events_;
    wait reading_;
    wait writing_;
    closure_listener* closure_listener_ = nullptr;
    bool readable_ = false;    // a read may find something
    bool writable_ = false;    // a write may go
    bool peer_closed_ = false; // the end of the stream is behind what can still be read
};

} // namespace penstock::proxy
