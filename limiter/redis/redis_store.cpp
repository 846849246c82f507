#include "limiter/redis/redis_store.hpp"

#include "limiter/redis/node.hpp"

#include <utility>

namespace penstock::limiter {

redis_store::redis_store(boost::asio::io_context& worker, redis_settings wanted, std::uint64_t seed, state_listener listener,
                         redis::shared_parts shared)
    : fleet_store(worker),
      node_(std::make_shared<node>(worker, std::move(wanted), seed, std::move(listener), std::move(shared)))
{
    node_->start();
}

redis_store::~redis_store() { node_->stop(); }

void redis_store::adopt(redis_terms const& next) { node_->adopt(next); }

void redis_store::try_at_once() { node_->try_at_once(); }

void redis_store::stop() { node_->stop(); }

redis_store::counts redis_store::count() const { return node_->count(); }

void redis_store::give_back(claim const& what, charge const& taken) noexcept { node_->give_back(what, taken); }

void redis_store::hold(claim const& what) { node_->hold(what); }

bool redis_store::can_ask(claim const&) const noexcept { return node_->can_ask(); }

bool redis_store::breaker_is_open(claim const&) const noexcept { return node_->breaker_is_open(); }

void redis_store::ask(std::span<claim const> asked, base::instant deadline, redis::waiter& who)
{
    node_->ask(asked, deadline, who);
}

void redis_store::ask_behind_asking(std::span<claim const> asked, base::instant deadline, redis::waiter& who)
{
    node_->ask(asked, deadline, who, true);
}

void redis_store::call(redis::background_call what) { node_->call(std::move(what)); }

bool redis_store::serving() const noexcept { return node_->is_serving(); }

void redis_store::waited_in_vain() { node_->waited_in_vain(); }

void redis_store::probe_with(std::string_view key) { node_->probe_with(key); }

redis::permit_keeper& redis_store::held_permits() noexcept { return node_->held_permits(); }

} // namespace penstock::limiter
