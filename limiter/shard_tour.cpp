#include "limiter/shard_tour.hpp"

#include "limiter/classify.hpp"

#include <algorithm>

namespace penstock::limiter {
namespace {

bool refuses(claim const& asked, decision const& said) noexcept
{
    return said.known && !said.allowed && asked.policy->enforce == enforcement::enforce;
}

} // namespace

bool shard_tour::move_on(verdict const& said) noexcept
{
    auto helps = true;
    for (std::size_t i = 0; i < claims_.size(); ++i) {
        if (!refuses(claims_[i], said.decisions[i])) continue;
        if (!is_sharded(claims_[i])) {
            helps = false;
            continue;
        }
        auto& before = tried_[i];
        before.retry_after = std::min(before.retry_after, said.decisions[i].retry_after);
        if (++before.shards >= claims_[i].policy->quota.shards.size()) helps = false;
    }
    if (!helps) return false;
    for (std::size_t i = 0; i < claims_.size(); ++i) {
        if (refuses(claims_[i], said.decisions[i])) move_to_next_shard(claims_[i]);
    }
    return true;
}

void shard_tour::say_where(verdict& found) const noexcept
{
    for (std::size_t i = 0; i < claims_.size(); ++i) found.decisions[i].shards_on = tried_[i].shards;
}

void shard_tour::shorten_waits(verdict& last) const noexcept
{
    for (std::size_t i = 0; i < claims_.size(); ++i) {
        auto& said = last.decisions[i];
        if (tried_[i].shards != 0 && refuses(claims_[i], said)) said.retry_after = tried_[i].retry_after;
    }
}

} // namespace penstock::limiter
