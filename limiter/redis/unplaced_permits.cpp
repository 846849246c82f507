#include "limiter/redis/unplaced_permits.hpp"

#include <algorithm>

namespace penstock::limiter::redis {

void unplaced_permits::hold(permits const& granted)
{
    auto const found = by_key_.find(std::string(granted.key.view()));
    if (found != by_key_.end()) {
        found->second.count += granted.count;
        found->second.limit = granted.limit;
    } else if (by_key_.size() < most_keys) {
        by_key_.emplace(granted.key.view(), granted);
    }
}

std::int64_t unplaced_permits::give_back(permits const& taken)
{
    if (by_key_.empty()) return 0;
    auto const found = by_key_.find(std::string(taken.key.view()));
    if (found == by_key_.end()) return 0;
    auto const count = std::min(taken.count, found->second.count);
    found->second.count -= count;
    if (found->second.count == 0) by_key_.erase(found);
    return count;
}

void unplaced_permits::place(std::function<bool(permits const&)> const& with)
{
    std::erase_if(by_key_, [&](auto const& each) { return with(each.second); });
}

} // namespace penstock::limiter::redis
