// Many networks as one question: is this address in any of them? Kept as sorted ranges that do not overlap, so that a list of
// 10,000 costs as much as a look-up in 14 steps. Built from the configuration, asked for each request. Immutable. Pure.
#pragma once

#include "base/ip_address.hpp"

#include <span>
#include <vector>

namespace penstock::partition {

class network_set {
public:
    network_set() = default;
    explicit network_set(std::span<base::ip_network const> networks);

    [[nodiscard]] bool contains(base::ip_address const& address) const noexcept
    {
        auto const& ranges = address.is_v4() ? v4_ : v6_;
        return !ranges.empty() && is_in(ranges, address.bytes());
    }
    [[nodiscard]] bool empty() const noexcept { return v4_.empty() && v6_.empty(); }

private:
    using bytes = base::ip_address::bytes_v6; // of an IPv4 address the first four count
    struct range {
        bytes first;
        bytes last;
    };
    static void tidy(std::vector<range>& ranges);
    static bool is_in(std::vector<range> const& ranges, bytes const& wanted) noexcept;

    std::vector<range> v4_;
    std::vector<range> v6_;
};

} // namespace penstock::partition
