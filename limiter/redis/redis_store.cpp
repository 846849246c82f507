#include "limiter/redis/redis_store.hpp"

#include "limiter/redis/connection_owner.hpp"
#include "limiter/redis/lease_codec.hpp"
#include "limiter/redis/suspended.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace penstock::limiter {
namespace asio = boost::asio;
namespace {

// A coroutine that asks the store itself.
class asking : public redis::waiter {
public:
    using waiter::waiter;
    void wake(redis::resumption when) override { resume(when); }
    virtual void resume(redis::resumption when) = 0;

protected:
    ~asking() = default;
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

void redis_store::ask(std::span<claim const> asked, base::instant deadline, redis::waiter& who)
{
    owner_->ask(asked, deadline, who);
}

void redis_store::lease(lease_request const& asked, lease_listener done)
{
    owner_->call({.what = &redis::scripts::lease,
                  .key = std::string(asked.key.view()),
                  .arguments = redis::lease_arguments(asked),
                  .done = [done = std::move(done)](base::result<redis::reply> const& got) {
                      if (got)
                          done(redis::decode_lease(*got));
                      else
                          done(got.error());
                  }});
}

void redis_store::call(redis::background_call what) { owner_->call(std::move(what)); }

// Not a coroutine of its own: one frame less on the way of each request.
asio::awaitable<base::result<verdict>> redis_store::acquire(std::span<claim const> asked, base::instant deadline)
{
    auto wait = [owner = owner_, asked, deadline](auto handler) {
        using suspended = redis::suspended<asking, decltype(handler)>;
        owner->ask(asked, deadline, suspended::make(std::move(handler), owner->worker().get_executor()));
    };
    return asio::async_initiate<asio::use_awaitable_t<> const, void(base::result<verdict>)>(std::move(wait),
                                                                                            asio::use_awaitable);
}

} // namespace penstock::limiter
