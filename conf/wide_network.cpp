#include "conf/wide_network.hpp"

#include "partition/nat64.hpp"

namespace penstock::conf {

namespace {

constexpr unsigned widest_v4 = 8;

// Of 64:ff9b::/96, which stands for all of IPv4: all of it, half of it, ..., or a network around it.
bool is_wide_behind_nat64(base::ip_network const& network) noexcept
{
    if (network.prefix() >= partition::nat64_prefix) {
        return network.prefix() < partition::nat64_prefix + widest_v4 && partition::embedded_v4(network.address()).has_value();
    }
    return network.contains(*base::ip_address::parse("64:ff9b::"));
}

} // namespace

bool is_wide(base::ip_network const& network) noexcept
{
    if (network.address().is_v4()) return network.prefix() < widest_v4;
    if (is_wide_behind_nat64(network)) return true;
    constexpr std::uint8_t first_three_bits = 0xe0;
    auto const is_of_routed = (network.address().bytes()[0] & first_three_bits) == 0x20; // in 2000::/3
    auto const holds_routed =
        network.prefix() < 3 && network.address().bytes()[0] <= 0x20; // all or half of everything, or around it
    return network.prefix() < 16 && (is_of_routed || holds_routed);
}

} // namespace penstock::conf
