// What fleet_front has counted of each limit, by the limit's name, which survives a reload. Values only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace penstock::limiter {

struct fleet_limit_counts {
    std::uint64_t denials_from_memory = 0; // requests refused without asking the store
    std::uint64_t admissions_on_lease = 0; // by permits taken in advance
    std::int64_t leases_out = 0;           // permits at hand now; only in a report
};
using fleet_counts = std::map<std::string, fleet_limit_counts, std::less<>>;

inline fleet_limit_counts& counts_of(fleet_counts& all, std::string_view limit)
{
    auto found = all.find(limit);
    if (found == all.end()) found = all.emplace(limit, fleet_limit_counts{}).first;
    return found->second;
}

} // namespace penstock::limiter
