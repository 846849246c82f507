#include "partition/nat64.hpp"

#include <array>
#include <cstdint>
#include <cstring>

namespace penstock::partition {

std::optional<base::ip_address> embedded_v4(base::ip_address const& address) noexcept
{
    static constexpr std::array<std::uint8_t, nat64_prefix / 8> prefix{0x00, 0x64, 0xFF, 0x9B};
    auto const& bytes = address.bytes();
    if (address.is_v4() || std::memcmp(bytes.data(), prefix.data(), prefix.size()) != 0) return std::nullopt;
    return base::ip_address::from_v4({bytes[12], bytes[13], bytes[14], bytes[15]});
}

} // namespace penstock::partition
