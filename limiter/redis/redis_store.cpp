#include "limiter/redis/redis_store.hpp"

#include "limiter/redis/lease_codec.hpp"
#include "limiter/redis/node.hpp"
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
    : node_(std::make_shared<node>(worker, std::move(wanted), seed, std::move(listener)))
{
    node_->start();
}

redis_store::~redis_store() { node_->stop(); }

void redis_store::stop() { node_->stop(); }

redis_store::counts redis_store::count() const { return node_->count(); }

void redis_store::give_back(claim const& what, charge const& taken) noexcept { node_->give_back(what, taken); }

void redis_store::hold(claim const& what) { node_->hold(what); }

bool redis_store::can_ask(claim const&) const noexcept { return node_->can_ask(); }

void redis_store::ask(std::span<claim const> asked, base::instant deadline, redis::waiter& who)
{
    node_->ask(asked, deadline, who);
}

void redis_store::lease(lease_request const& asked, lease_listener done)
{
    node_->call({.what = &redis::scripts::lease,
                 .key = std::string(asked.key.view()),
                 .arguments = redis::lease_arguments(asked),
                 .done = [done = std::move(done)](base::result<redis::reply> const& got) {
                     if (got)
                         done(redis::decode_lease(*got));
                     else
                         done(got.error());
                 }});
}

void redis_store::call(redis::background_call what) { node_->call(std::move(what)); }

// Not a coroutine of its own: one frame less on the way of each request.
asio::awaitable<base::result<verdict>> redis_store::acquire(std::span<claim const> asked, base::instant deadline)
{
    auto wait = [node = node_, asked, deadline](auto handler) {
        using suspended = redis::suspended<asking, decltype(handler)>;
        node->ask(asked, deadline, suspended::make(std::move(handler), node->worker().get_executor()));
    };
    return asio::async_initiate<asio::use_awaitable_t<> const, void(base::result<verdict>)>(std::move(wait),
                                                                                            asio::use_awaitable);
}

} // namespace penstock::limiter
