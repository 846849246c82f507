#include "limiter/redis/cluster_slot.hpp"

#include <array>

namespace penstock::limiter::redis {
namespace {

constexpr std::uint16_t polynomial = 0x1021;

constexpr std::array<std::uint16_t, 256> make_table() noexcept
{
    std::array<std::uint16_t, 256> table{};
    for (unsigned byte = 0; byte < table.size(); ++byte) {
        unsigned crc = byte << 8U;
        for (int bit = 0; bit < 8; ++bit) crc = (crc & 0x8000U) != 0 ? (crc << 1U) ^ polynomial : crc << 1U;
        table[byte] = static_cast<std::uint16_t>(crc);
    }
    return table;
}

constexpr auto crc_of_byte = make_table();

} // namespace

std::uint16_t crc16(std::string_view bytes) noexcept
{
    unsigned crc = 0;
    for (auto const c : bytes) crc = ((crc << 8U) ^ crc_of_byte[(crc >> 8U ^ static_cast<unsigned char>(c)) & 0xffU]) & 0xffffU;
    return static_cast<std::uint16_t>(crc);
}

std::string_view hashed_part(std::string_view key) noexcept
{
    auto const open = key.find('{');
    if (open == std::string_view::npos) return key;
    auto const close = key.find('}', open + 1);
    if (close == std::string_view::npos || close == open + 1) return key;
    return key.substr(open + 1, close - open - 1);
}

cluster_slot slot_of(std::string_view key) noexcept { return static_cast<cluster_slot>(crc16(hashed_part(key)) % slot_count); }

} // namespace penstock::limiter::redis
