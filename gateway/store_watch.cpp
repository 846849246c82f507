#include "gateway/store_watch.hpp"

#include <algorithm>

namespace penstock::gateway {

store_watch::speaker store_watch::begins_anew(unsigned worker)
{
    std::lock_guard const lock(guard_);
    troubles_.erase(worker);
    auto const store = ++stores_[worker];
    if (store > newest_) { // the first of the workers: what was said of the former stores is to be said again of these
        newest_ = store;
        remarked_.clear();
        last_good_news_.clear();
    }
    return {worker, store};
}

bool store_watch::is_former(speaker who) const
{
    auto const present = stores_.find(who.worker);
    return present != stores_.end() && present->second != who.store;
}

void store_watch::worse(speaker who, notice const& what)
{
    std::lock_guard const lock(guard_);
    if (is_former(who)) return;
    auto const about = subject(what.node, what.kind);
    auto const is_known = std::ranges::any_of(troubles_, [&](auto const& each) { return each.second.contains(about); });
    last_good_news_.clear();
    auto& own = troubles_[who.worker];
    if (own.size() >= most_known) return;
    own.insert(about);
    if (!is_known) warn_(what.text);
}

void store_watch::remark(speaker who, notice const& what)
{
    std::lock_guard const lock(guard_);
    if (is_former(who) || remarked_.size() >= most_known) return;
    if (remarked_.emplace(what.node, what.kind).second) warn_(what.text);
}

bool store_watch::better(speaker who, notice const& what)
{
    std::lock_guard const lock(guard_);
    if (is_former(who)) return false;
    auto const is_about_it = [&](subject const& one) { return what.node.empty() || one.first == what.node; };
    std::erase_if(troubles_[who.worker], is_about_it);
    std::erase_if(troubles_, [](auto const& each) { return each.second.empty(); });
    auto const has_it = [&](auto const& each) { return std::ranges::any_of(each.second, is_about_it); };
    if (std::ranges::none_of(troubles_, has_it) && what.text != last_good_news_) {
        last_good_news_ = what.text;
        std::erase_if(remarked_, is_about_it);
        inform_(what.text);
    }
    return std::ranges::any_of(troubles_, [&](auto const& each) { return each.first != who.worker; });
}

} // namespace penstock::gateway
