// The fleet's store on a Redis Cluster: the claims of a request go out in parallel, one call for each slot, to the nodes that
// have them; if one of them refuses or fails, what the others took is given back. Follows MOVED, ASK and TRYAGAIN within the
// request's deadline. Owned and used by one worker's thread.
#pragma once

#include "limiter/redis/fleet_store.hpp"

#include <memory>

namespace penstock::limiter {

class cluster_store final : public fleet_store {
public:
    // As make_fleet_store(); `wanted` names nodes of the cluster to begin with.
    cluster_store(boost::asio::io_context& worker, redis_settings wanted, std::uint64_t seed, state_listener listener);
    ~cluster_store() override;

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
    [[nodiscard]] std::optional<redis::cluster_counts> count_cluster() const override;

private:
    class core;
    std::shared_ptr<core> core_;
};

} // namespace penstock::limiter
