// Concurrency permits that were granted without Redis while nobody knew which node of the cluster has their key: kept until one
// does, or their requests are done. Bounded: beyond that many keys, what is granted stays this process's own. Owned by
// cluster_store's core, on its thread. Pure.
#pragma once

#include "limiter/redis/permits.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace penstock::limiter::redis {

class unplaced_permits {
public:
    static constexpr std::size_t most_keys = 4'096;

    [[nodiscard]] bool empty() const noexcept { return by_key_.empty(); }
    void hold(permits const& granted);
    // Gives back as many of them as are here: how many those are.
    std::int64_t give_back(permits const& taken);
    // Of each key: forgets it if `with` has found somebody to vouch for it.
    void place(std::function<bool(permits const&)> const& with);

private:
    std::unordered_map<std::string, permits> by_key_;
};

} // namespace penstock::limiter::redis
