#include "partition/network_set.hpp"

#include <algorithm>

namespace penstock::partition {
namespace {

using bytes = base::ip_address::bytes_v6;

// The network's last address: its first with every bit behind the prefix set, within `size` bytes.
bytes last_of(base::ip_network const& network, std::size_t size) noexcept
{
    auto last = network.address().bytes();
    auto const prefix = network.prefix();
    for (std::size_t i = prefix / 8; i < size; ++i) {
        auto const kept = i == prefix / 8 ? prefix % 8 : 0U;
        last[i] = static_cast<std::uint8_t>(last[i] | (0xFFU >> kept));
    }
    return last;
}

} // namespace

network_set::network_set(std::span<base::ip_network const> networks)
{
    for (auto const& one : networks) {
        auto const v4 = one.address().is_v4();
        (v4 ? v4_ : v6_).push_back({one.address().bytes(), last_of(one, v4 ? 4 : 16)});
    }
    tidy(v4_);
    tidy(v6_);
}

// Networks are nested or apart: behind the wider one of each nest the others say nothing new.
void network_set::tidy(std::vector<range>& ranges)
{
    std::sort(ranges.begin(), ranges.end(),
              [](range const& a, range const& b) { return a.first != b.first ? a.first < b.first : a.last > b.last; });
    std::vector<range> kept;
    for (auto const& one : ranges) {
        if (kept.empty() || one.last > kept.back().last) kept.push_back(one);
    }
    ranges = std::move(kept);
}

bool network_set::is_in(std::vector<range> const& ranges, bytes const& wanted) noexcept
{
    auto const behind = std::upper_bound(ranges.begin(), ranges.end(), wanted,
                                         [](bytes const& value, range const& one) { return value < one.first; });
    return behind != ranges.begin() && wanted <= std::prev(behind)->last;
}

} // namespace penstock::partition
