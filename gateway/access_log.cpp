#include "gateway/access_log.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace penstock::gateway {
namespace {

constexpr int poll_ms = 100;

bool is_regular_file(int descriptor) noexcept
{
    struct stat about {};
    return ::fstat(descriptor, &about) == 0 && S_ISREG(about.st_mode);
}

} // namespace

access_log::access_log(int descriptor)
    : descriptor_(descriptor), is_file_(is_regular_file(descriptor)), thread_([this] { run(); })
{}

access_log::~access_log()
{
    {
        std::lock_guard const lock(mutex_); // else the thread may look, miss it and then wait for ever
        stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

void access_log::submit(std::string text, std::uint64_t lines)
{
    {
        std::lock_guard const lock(mutex_);
        if (queued_bytes_ + text.size() > most_bytes) {
            dropped_ += lines;
            return;
        }
        queued_bytes_ += text.size();
        queue_.push_back({std::move(text), lines});
    }
    wake_.notify_one();
}

void access_log::run()
{
    for (;;) {
        batch next;
        {
            std::unique_lock lock(mutex_);
            wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
            if (queue_.empty()) return;
            next = std::move(queue_.front());
            queue_.pop_front();
            queued_bytes_ -= next.text.size();
        }
        if (!write_all(next.text)) dropped_ += next.lines;
    }
}

// A pipe takes PIPE_BUF bytes without blocking once poll() says that it is writable: so this thread can always be ended.
bool access_log::write_all(std::string_view text)
{
    while (!text.empty()) {
        if (stopping_ && farewell_left_ms_ <= 0) return false;
        if (!is_file_) {
            pollfd ready{descriptor_, POLLOUT, 0};
            auto const n = ::poll(&ready, 1, poll_ms);
            if (n < 0 && errno != EINTR) return false;
            if (n <= 0) {
                if (stopping_) farewell_left_ms_ -= poll_ms;
                continue;
            }
        }
        auto const piece = is_file_ ? text.size() : std::min<std::size_t>(text.size(), PIPE_BUF);
        auto const n = ::write(descriptor_, text.data(), piece);
        if (n >= 0)
            text.remove_prefix(static_cast<std::size_t>(n));
        else if (errno != EINTR && errno != EAGAIN)
            return false;
    }
    return true;
}

} // namespace penstock::gateway
