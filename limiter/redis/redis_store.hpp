// The store that the fleet shares: one EVALSHA per request over one pipelined connection per worker, Redis' clock, Redis'
// arithmetic (lua/acquire.lua). Adds deadline and breaker: a dead, slow or restarting Redis costs a request at most
// check_timeout, and nothing once the breaker is open. Owned and used by one worker's thread.
#pragma once

#include "limiter/asked_store.hpp"
#include "limiter/redis/background_call.hpp"
#include "limiter/redis/redis_settings.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace penstock::limiter {

class redis_store final : public asked_store {
public:
    struct counts {
        std::uint64_t commands = 0;             // sent
        std::uint64_t connects = 0;             // connections established
        std::array<std::uint64_t, 16> errors{}; // by errc value
        bool up = false;
        unsigned breaker_state = 0; // 0 closed, 1 half open, 2 open
    };
    // Called on the worker's thread at each change of state (up, down, breaker), once per change, for one log line.
    enum class change : std::uint8_t { better, worse };
    using state_listener = std::function<void(change direction, std::string const& what_happened)>;

    // Starts connecting at once; starting without Redis works. `seed` spreads back-off jitter between workers.
    redis_store(boost::asio::io_context& worker, redis_settings wanted, std::uint64_t seed, state_listener listener);
    ~redis_store() override;

    boost::asio::awaitable<base::result<verdict>> acquire(std::span<claim const> asked, base::instant deadline) override;
    void ask(std::span<claim const> asked, base::instant deadline, redis::waiter& who) override;
    void lease(lease_request const& asked, lease_listener done) override;

    void give_back(claim const& what, charge const& taken) noexcept override;

    // Asks in the background, also while the breaker is open: what takes little and gives back must not wait for the checks.
    // `what.done` is called exactly once, on the worker's thread and never from within this call; once the store has been
    // stopped, not at all. A failure is counted, but the breaker judges by checks alone: the same outage twice would
    // open it too soon, and a call that works says nothing of the checks that do not.
    void call(redis::background_call what);

    // Closes the connection and answers every waiter with not_connected. No acquire() may follow; give_back() may, and does
    // nothing.
    void stop();

    [[nodiscard]] counts count() const noexcept;

private:
    struct connection_owner;
    std::shared_ptr<connection_owner> owner_;
};

} // namespace penstock::limiter
