#include "proxy/crc32c.hpp"

#include <array>

namespace penstock::proxy {
namespace {

constexpr std::array<std::uint32_t, 256> table = [] {
    constexpr std::uint32_t reversed_polynomial = 0x82F63B78;
    std::array<std::uint32_t, 256> made{};
    for (std::uint32_t byte = 0; byte < made.size(); ++byte) {
        auto remainder = byte;
        for (int bit = 0; bit < 8; ++bit) remainder = remainder >> 1 ^ ((remainder & 1) != 0 ? reversed_polynomial : 0);
        made[byte] = remainder;
    }
    return made;
}();

} // namespace

std::uint32_t crc32c(std::uint32_t before, std::string_view bytes) noexcept
{
    auto remainder = ~before;
    for (char const c : bytes) remainder = remainder >> 8 ^ table[(remainder ^ static_cast<unsigned char>(c)) & 0xFF];
    return ~remainder;
}

} // namespace penstock::proxy
