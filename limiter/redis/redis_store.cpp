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

// A suspended coroutine that waits for its verdict: its handler, without its type, and the place of the answer, in memory
// that Asio uses again and again.
template <class Handler>
class suspended final : public redis::waiter {
public:
    static suspended& make(Handler&& handler, asio::any_io_executor const& worker)
    {
        allocator memory{asio::get_associated_allocator(handler, asio::recycling_allocator<void>())};
        auto* self = std::allocator_traits<allocator>::allocate(memory, 1);
        return *new (self) suspended(std::move(handler), worker);
    }

    void wake(redis::resumption when) override
    {
        auto const executor = asio::get_associated_executor(handler_, worker_);
        allocator memory{asio::get_associated_allocator(handler_, asio::recycling_allocator<void>())};
        auto resume = [handler = std::move(handler_), answer = std::move(answer_)]() mutable {
            std::move(handler)(std::move(answer));
        };
        this->~suspended();
        std::allocator_traits<allocator>::deallocate(memory, this, 1);
        if (when == redis::resumption::now)
            asio::dispatch(executor, std::move(resume));
        else
            asio::post(executor, std::move(resume));
    }

private:
    using allocator = typename std::allocator_traits<
        asio::associated_allocator_t<Handler, asio::recycling_allocator<void>>>::template rebind_alloc<suspended>;

    suspended(Handler&& handler, asio::any_io_executor const& worker) noexcept
        : waiter(answer_), handler_(std::move(handler)), worker_(worker)
    {}
    ~suspended() = default;

    base::result<verdict> answer_{errc::not_connected};
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

void redis_store::give_back(claim const& what, charge const& taken) noexcept { owner_->give_back(what, taken); }

void redis_store::call(redis::background_call what) { owner_->call(std::move(what)); }

// Not a coroutine of its own: one frame less on the way of each request.
asio::awaitable<base::result<verdict>> redis_store::acquire(std::span<claim const> asked, base::instant deadline)
{
    auto wait = [owner = owner_, asked, deadline](auto handler) {
        using handler_type = decltype(handler);
        auto& who = suspended<handler_type>::make(std::move(handler), owner->worker().get_executor());
        if (auto const refused = owner->refusal()) {
            who.answer(*refused);
            return who.wake(redis::resumption::later);
        }
        owner->ask(asked, deadline, who);
    };
    return asio::async_initiate<asio::use_awaitable_t<> const, void(base::result<verdict>)>(std::move(wait),
                                                                                            asio::use_awaitable);
}

} // namespace penstock::limiter
