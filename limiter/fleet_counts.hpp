// What fleet_front has counted of each limit, by the limit's name, which survives a reload. Values only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace penstock::limiter {

struct fleet_limit_counts {
    std::uint64_t denials_from_memory = 0; // requests refused without asking the store
    std::uint64_t admissions_on_lease = 0; // by permits taken in advance
};
using fleet_counts = std::map<std::string, fleet_limit_counts, std::less<>>;

} // namespace penstock::limiter
