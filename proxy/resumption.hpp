// The place where a coroutine waits for something that is not an Asio operation: holds its completion handler, erased and
// without an allocation, until it is resumed with an error code. One thread.
#pragma once

#include "base/result.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <array>
#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

namespace penstock::proxy {

class resumption {
public:
    resumption() noexcept = default;
    resumption(resumption const&) = delete;
    resumption& operator=(resumption const&) = delete;
    ~resumption()
    {
        if (waiting_) waiting_->destroy();
    }

    [[nodiscard]] bool is_waiting() const noexcept { return waiting_ != nullptr; }

    // Suspends the calling coroutine until resume() or post(). `result` is what it was resumed with. At most one waits.
    boost::asio::awaitable<void> wait(base::error_code& result)
    {
        auto initiate = [this](auto handler, base::error_code* into) { hold(std::move(handler), into); };
        return boost::asio::async_initiate<boost::asio::use_awaitable_t<> const, void()>(initiate, boost::asio::use_awaitable,
                                                                                         &result);
    }

    // Resumes now, within the caller's call.
    void resume(base::error_code result) { std::exchange(waiting_, nullptr)->resume(result); }
    // Resumes soon, from the loop: for a caller that is itself in the middle of something.
    void post(boost::asio::any_io_executor const& executor, base::error_code result)
    {
        std::exchange(waiting_, nullptr)->post(executor, result);
    }

private:
    struct holder {
        virtual void resume(base::error_code result) = 0;
        virtual void post(boost::asio::any_io_executor const& executor, base::error_code result) = 0;
        virtual void destroy() noexcept = 0;

    protected:
        ~holder() = default;
    };

    template <class Handler>
    struct holder_of final : holder {
        holder_of(Handler&& waiting, base::error_code* into) noexcept : handler(std::move(waiting)), result_of_wait(into) {}
        // The handler leaves its place before it runs: it may come back to wait here again.
        Handler take(base::error_code result) noexcept
        {
            *result_of_wait = result;
            Handler taken(std::move(handler));
            destroy();
            return taken;
        }
        void resume(base::error_code result) override { take(result)(); }
        void post(boost::asio::any_io_executor const& executor, base::error_code result) override
        {
            boost::asio::post(executor, take(result));
        }
        void destroy() noexcept override { this->~holder_of(); }

        Handler handler;
        base::error_code* result_of_wait;
    };

    template <class Handler>
    void hold(Handler handler, base::error_code* into)
    {
        static_assert(sizeof(holder_of<Handler>) <= place_size && std::is_nothrow_move_constructible_v<Handler>);
        waiting_ = ::new (static_cast<void*>(place_.data())) holder_of<Handler>(std::move(handler), into);
    }

    static constexpr std::size_t place_size = 48;
    alignas(std::max_align_t) std::array<std::byte, place_size> place_;
    holder* waiting_ = nullptr;
};

} // namespace penstock::proxy
