#include "gateway/core_count.hpp"

#include <algorithm>
#include <fstream>
#include <optional>
#include <string>
#include <thread>

#include <sched.h>

namespace penstock::gateway {
namespace {

std::optional<double> quota_v2()
{
    std::ifstream file("/sys/fs/cgroup/cpu.max");
    std::string quota;
    double period = 0;
    if (!(file >> quota >> period) || quota == "max" || period <= 0) return std::nullopt;
    return std::stod(quota) / period;
}

std::optional<double> quota_v1()
{
    std::ifstream quota_file("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
    std::ifstream period_file("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
    double quota = 0;
    double period = 0;
    if (!(quota_file >> quota) || !(period_file >> period) || quota <= 0 || period <= 0) return std::nullopt;
    return quota / period;
}

unsigned affinity()
{
    cpu_set_t set;
    if (::sched_getaffinity(0, sizeof set, &set) == 0) return static_cast<unsigned>(CPU_COUNT(&set));
    return std::thread::hardware_concurrency();
}

} // namespace

unsigned usable_cores()
{
    auto cores = std::max(1U, affinity());
    auto const quota = quota_v2() ? quota_v2() : quota_v1();
    // Half a core more than whole ones would be throttled for half of each period: round down, but not to none.
    if (quota) cores = std::min(cores, std::max(1U, static_cast<unsigned>(*quota)));
    return cores;
}

} // namespace penstock::gateway
