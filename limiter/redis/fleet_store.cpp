#include "limiter/redis/fleet_store.hpp"

#include "limiter/redis/cluster_store.hpp"
#include "limiter/redis/lease_codec.hpp"
#include "limiter/redis/redis_store.hpp"
#include "limiter/redis/suspended.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

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

asio::awaitable<base::result<verdict>> fleet_store::acquire(std::span<claim const> asked, base::instant deadline)
{
    auto wait = [this, asked, deadline](auto handler) {
        using suspended = redis::suspended<asking, decltype(handler)>;
        ask(asked, deadline, suspended::make(std::move(handler), worker_.get_executor()));
    };
    return asio::async_initiate<asio::use_awaitable_t<> const, void(base::result<verdict>)>(std::move(wait),
                                                                                            asio::use_awaitable);
}

void fleet_store::lease(lease_request const& asked, lease_listener done)
{
    call({.what = &redis::scripts::lease,
          .key = std::string(asked.key.view()),
          .arguments = redis::lease_arguments(asked),
          .done = [done = std::move(done)](base::result<redis::reply> const& got) {
              if (got)
                  done(redis::decode_lease(*got));
              else
                  done(got.error());
          }});
}

std::unique_ptr<fleet_store> make_fleet_store(asio::io_context& worker, redis_settings const& wanted, std::uint64_t seed,
                                              fleet_store::state_listener listener)
{
    if (wanted.cluster_seeds.empty()) return std::make_unique<redis_store>(worker, wanted, seed, std::move(listener));
    return std::make_unique<cluster_store>(worker, wanted, seed, std::move(listener));
}

} // namespace penstock::limiter
