#include "gateway/store_watch.hpp"

#include <algorithm>

namespace penstock::gateway {

store_watch::speaker store_watch::begins_anew(unsigned worker)
{
    std::lock_guard const lock(guard_);
    troubles_.erase(worker);
    return {worker, ++stores_[worker]};
}

bool store_watch::is_former(speaker who) const
{
    auto const present = stores_.find(who.worker);
    return present != stores_.end() && present->second != who.store;
}

void store_watch::worse(speaker who, std::string const& what)
{
    std::lock_guard const lock(guard_);
    if (is_former(who)) return;
    auto const is_known = std::ranges::any_of(troubles_, [&](auto const& each) { return each.second.contains(what); });
    troubles_[who.worker].insert(what);
    last_good_news_.clear();
    if (!is_known) warn_(what);
}

void store_watch::remark(speaker who, std::string const& what)
{
    std::lock_guard const lock(guard_);
    if (is_former(who) || what == last_remark_) return;
    last_remark_ = what;
    warn_(what);
}

void store_watch::better(speaker who, std::string const& what)
{
    std::lock_guard const lock(guard_);
    if (is_former(who)) return;
    troubles_.erase(who.worker);
    if (!troubles_.empty() || what == last_good_news_) return;
    last_good_news_ = what;
    last_remark_.clear();
    inform_(what);
}

} // namespace penstock::gateway
