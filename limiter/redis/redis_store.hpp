// The fleet's store on one Redis node: one EVALSHA per request over one pipelined connection per worker, Redis' clock, Redis'
// arithmetic (lua/acquire.lua). Adds deadline and breaker: a dead, slow or restarting Redis costs a request at most
// check_timeout, and nothing once the breaker is open. Owned and used by one worker's thread; one of several in a cluster.
#pragma once

#include "limiter/redis/fleet_store.hpp"
#include "limiter/redis/shared_parts.hpp"

#include <memory>
#include <string_view>

namespace penstock::limiter {

class redis_store final : public fleet_store {
public:
    // Starts connecting at once; starting without Redis works. `seed` spreads back-off jitter between workers.
    redis_store(boost::asio::io_context& worker, redis_settings wanted, std::uint64_t seed, state_listener listener,
                redis::shared_parts shared = {});
    ~redis_store() override;

    void ask(std::span<claim const> asked, base::instant deadline, redis::waiter& who) override;
    void give_back(claim const& what, charge const& taken) noexcept override;
    void hold(claim const& what) override;
    [[nodiscard]] bool can_ask(claim const& about) const noexcept override;
    [[nodiscard]] bool breaker_is_open(claim const& about) const noexcept override;
    void call(redis::background_call what) override;
    void adopt(redis_terms const& next) override;
    void try_at_once() override;
    void stop() override;
    [[nodiscard]] counts count() const override;

    // ---- for a cluster

    [[nodiscard]] bool serving() const noexcept;
    // As ask(), of a node to which the keys are on their way.
    void ask_behind_asking(std::span<claim const> asked, base::instant deadline, redis::waiter& who);
    // A request has waited for the first connection and gave up: the breaker hears of it as of a check that failed.
    void waited_in_vain();
    // What an open breaker asks about from now on.
    void probe_with(std::string_view key);
    // Permits that this node granted; they outlive its connection.
    [[nodiscard]] redis::permit_keeper& held_permits() noexcept;

private:
    struct node;
    std::shared_ptr<node> node_;
};

} // namespace penstock::limiter
