#include "limiter/redis/cluster_store.hpp"

#include "limiter/redis/cluster_core.hpp"

#include <utility>

namespace penstock::limiter {

cluster_store::cluster_store(boost::asio::io_context& worker, redis_settings wanted, std::uint64_t seed,
                             state_listener listener)
    : fleet_store(worker), core_(std::make_shared<core>(worker, std::move(wanted), seed, std::move(listener)))
{
    core_->start();
}

cluster_store::~cluster_store() { core_->stop(); }

void cluster_store::ask(std::span<claim const> asked, base::instant deadline, redis::waiter& who)
{
    core_->ask(asked, deadline, who);
}

void cluster_store::give_back(claim const& what, charge const& taken) noexcept { core_->give_back(what, taken); }

void cluster_store::hold(claim const& what) { core_->hold(what); }

bool cluster_store::can_ask(claim const& about) const noexcept { return core_->can_ask(about); }

bool cluster_store::breaker_is_open(claim const& about) const noexcept { return core_->breaker_is_open(about); }

void cluster_store::call(redis::background_call what) { core_->call(std::move(what)); }

void cluster_store::adopt(redis_terms const& next) { core_->adopt(next); }

void cluster_store::try_at_once() { core_->try_at_once(); }

void cluster_store::stop() { core_->stop(); }

cluster_store::counts cluster_store::count() const { return core_->count(); }

std::optional<redis::cluster_counts> cluster_store::count_cluster() const { return core_->count_cluster(); }

} // namespace penstock::limiter
