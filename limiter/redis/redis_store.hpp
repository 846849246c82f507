// The store that the fleet shares, on one Redis node: one EVALSHA per request over one pipelined connection per worker, Redis' clock, Redis'
// arithmetic (lua/acquire.lua). Adds deadline and breaker: a dead, slow or restarting Redis costs a request at most
// check_timeout, and nothing once the breaker is open. Owned and used by one worker's thread.
#pragma once

#include "limiter/asked_store.hpp"
#include "limiter/redis/background_call.hpp"
#include "limiter/redis/node_state.hpp"
#include "limiter/redis/redis_settings.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <memory>

namespace penstock::limiter {

class redis_store final : public asked_store {
public:
    using counts = redis::node_counts;
    // Called on the worker's thread.
    using change = redis::change;
    using state_listener = redis::state_listener;

    // Starts connecting at once; starting without Redis works. `seed` spreads back-off jitter between workers.
    redis_store(boost::asio::io_context& worker, redis_settings wanted, std::uint64_t seed, state_listener listener);
    ~redis_store() override;

    boost::asio::awaitable<base::result<verdict>> acquire(std::span<claim const> asked, base::instant deadline) override;
    void ask(std::span<claim const> asked, base::instant deadline, redis::waiter& who) override;
    void lease(lease_request const& asked, lease_listener done) override;

    void give_back(claim const& what, charge const& taken) noexcept override;
    void hold(claim const& what) override;

    [[nodiscard]] bool can_ask(claim const& about) const noexcept override;

    // Also while the breaker is open: what takes little and gives back must not wait for the checks. A failure is counted, but
    // the breaker judges by checks alone: the same outage twice would open it too soon, and a call that works says nothing
    // of the checks that do not.
    void call(redis::background_call what) override;

    // Closes the connection and answers every waiter with not_connected. No acquire() may follow; give_back() may, and does
    // nothing.
    void stop();

    [[nodiscard]] counts count() const;

private:
    struct node;
    std::shared_ptr<node> node_;
};

} // namespace penstock::limiter
