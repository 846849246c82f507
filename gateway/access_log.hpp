// The access log's sink: batches of whole lines, written to a descriptor by a thread of its own. Bounded: when the reader
// of the descriptor stalls, batches are dropped and their lines counted, and no request ever waits (OP-30, OP-36).
// Thread safe.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

namespace penstock::gateway {

class access_log {
public:
    explicit access_log(int descriptor);
    // Writes what is queued, for a second at most, and ends the thread.
    ~access_log();
    access_log(access_log const&) = delete;
    access_log& operator=(access_log const&) = delete;

    // `lines` lines of text, each with its newline.
    void submit(std::string text, std::uint64_t lines);
    [[nodiscard]] std::uint64_t dropped_lines() const noexcept { return dropped_.load(std::memory_order_relaxed); }

private:
    struct batch {
        std::string text;
        std::uint64_t lines = 0;
    };
    static constexpr std::size_t most_bytes = 8 * 1024 * 1024; // queued

    void run();
    bool write_all(std::string_view text);

    int descriptor_;
    bool is_file_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<batch> queue_;
    std::size_t queued_bytes_ = 0;
    std::atomic<bool> stopping_{false};
    std::atomic<std::uint64_t> dropped_{0};
    int farewell_left_ms_ = 1000; // that the end may take, for all that is queued; the thread's own
    std::thread thread_;
};

} // namespace penstock::gateway
