#include "conf/wide_network.hpp"

namespace penstock::conf {

bool is_wide(base::ip_network const& network) noexcept
{
    if (network.address().is_v4()) return network.prefix() < 8;
    constexpr std::uint8_t first_three_bits = 0xe0;
    auto const is_of_routed = (network.address().bytes()[0] & first_three_bits) == 0x20; // in 2000::/3
    auto const holds_routed =
        network.prefix() < 3 && network.address().bytes()[0] <= 0x20; // all or half of everything, or around it
    return network.prefix() < 16 && (is_of_routed || holds_routed);
}

} // namespace penstock::conf
