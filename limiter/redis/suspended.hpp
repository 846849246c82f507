// A suspended coroutine that waits for its verdict: its handler, without its type, and the place of the answer, in memory
// that Asio uses again and again. `Waiter` (redis::waiter, or what knows more) is what others see of it; its first
// constructor argument is the place of the answer. Used by the stores that are asked by coroutines.
#pragma once

#include "limiter/error.hpp"
#include "limiter/redis/pipeline.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/recycling_allocator.hpp>

#include <memory>
#include <utility>

namespace penstock::limiter::redis {

template <class Waiter, class Handler>
class suspended final : public Waiter {
public:
    // Lives until it is resumed, once.
    template <class... Arguments>
    static suspended& make(Handler&& handler, boost::asio::any_io_executor const& worker, Arguments&&... more)
    {
        allocator memory{boost::asio::get_associated_allocator(handler, boost::asio::recycling_allocator<void>())};
        auto* self = std::allocator_traits<allocator>::allocate(memory, 1);
        return *new (self) suspended(std::move(handler), worker, std::forward<Arguments>(more)...);
    }

    void resume(resumption when) override
    {
        auto const executor = boost::asio::get_associated_executor(handler_, worker_);
        allocator memory{boost::asio::get_associated_allocator(handler_, boost::asio::recycling_allocator<void>())};
        auto go_on = [handler = std::move(handler_), answer = std::move(answer_)]() mutable {
            std::move(handler)(std::move(answer));
        };
        this->~suspended();
        std::allocator_traits<allocator>::deallocate(memory, this, 1);
        if (when == resumption::now)
            boost::asio::dispatch(executor, std::move(go_on));
        else
            boost::asio::post(executor, std::move(go_on));
    }

private:
    using allocator = typename std::allocator_traits<
        boost::asio::associated_allocator_t<Handler, boost::asio::recycling_allocator<void>>>::template rebind_alloc<suspended>;

    template <class... Arguments>
    suspended(Handler&& handler, boost::asio::any_io_executor const& worker, Arguments&&... more)
        : Waiter(answer_, std::forward<Arguments>(more)...), handler_(std::move(handler)), worker_(worker)
    {}
    ~suspended() = default;

    base::result<verdict> answer_{errc::not_connected};
    Handler handler_;
    boost::asio::any_io_executor worker_;
};

} // namespace penstock::limiter::redis
