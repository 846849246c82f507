#include "gateway/store_watch.hpp"

#include <algorithm>

namespace penstock::gateway {

void store_watch::begins_anew(unsigned worker)
{
    std::lock_guard const lock(guard_);
    troubles_.erase(worker);
}

void store_watch::worse(unsigned worker, std::string const& what)
{
    std::lock_guard const lock(guard_);
    auto const is_known = std::ranges::any_of(troubles_, [&](auto const& each) { return each.second.contains(what); });
    troubles_[worker].insert(what);
    last_good_news_.clear();
    if (!is_known) warn_(what);
}

void store_watch::better(unsigned worker, std::string const& what)
{
    std::lock_guard const lock(guard_);
    troubles_.erase(worker);
    if (!troubles_.empty() || what == last_good_news_) return;
    last_good_news_ = what;
    inform_(what);
}

} // namespace penstock::gateway
