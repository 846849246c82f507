#include "limiter/redis/redis_store.hpp"

#include "limiter/redis/connection_owner.hpp"

#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/recycling_allocator.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>

namespace penstock::limiter {
namespace {

namespace asio = boost::asio;

// A suspended coroutine that waits for its verdict: its handler, without its type, in memory that Asio uses again and again.
template <class Handler>
class suspended final : public redis::waiter {
public:
    static suspended& make(Handler&& handler, base::result<verdict>& answer, asio::any_io_executor const& worker)
    {
        allocator memory{asio::get_associated_allocator(handler, asio::recycling_allocator<void>())};
        auto* self = std::allocator_traits<allocator>::allocate(memory, 1);
        return *new (self) suspended(std::move(handler), answer, worker);
    }

    void wake(redis::resumption when) override
    {
        auto handler = std::move(handler_);
        auto const executor = asio::get_associated_executor(handler, worker_);
        allocator memory{asio::get_associated_allocator(handler, asio::recycling_allocator<void>())};
        this->~suspended();
        std::allocator_traits<allocator>::deallocate(memory, this, 1);
        if (when == redis::resumption::now) asio::dispatch(executor, std::move(handler));
        else asio::post(executor, std::move(handler));
    }

private:
    using allocator = typename std::allocator_traits<asio::associated_allocator_t<
        Handler, asio::recycling_allocator<void>>>::template rebind_alloc<suspended>;

    suspended(Handler&& handler, base::result<verdict>& answer, asio::any_io_executor const& worker) noexcept
        : waiter(answer), handler_(std::move(handler)), worker_(worker)
    {
    }
    ~suspended() = default;

    Handler handler_;
    asio::any_io_executor worker_;
};

} // namespace

redis_store::redis_store(asio::io_context& worker, redis_settings wanted, std::uint64_t seed, state_listener listener)
    : owner_(std::make_shared<connection_owner>(worker, std::move(wanted), seed, std::move(listener)))
{
    owner_->start();
}

redis_store::~redis_store() { owner_->stop(); }

void redis_store::stop() { owner_->stop(); }

redis_store::counts redis_store::count() const noexcept { return owner_->count(); }

asio::awaitable<base::result<verdict>> redis_store::acquire(std::span<claim const> asked, base::instant deadline)
{
    if (auto const refused = owner_->refusal()) co_return *refused;
    base::result<verdict> answer{errc::not_connected};
    auto wait = [&](auto handler) {
        using handler_type = decltype(handler);
        auto& who = suspended<handler_type>::make(std::move(handler), answer, owner_->worker().get_executor());
        owner_->ask(asked, deadline, who);
    };
    // The store may be gone when this returns: nothing of it is touched afterwards.
    co_await asio::async_initiate<asio::use_awaitable_t<> const, void()>(wait, asio::use_awaitable);
    co_return answer;
}

} // namespace penstock::limiter
