// Which of a cluster's 16384 slots a key belongs to: CRC16 of the key, or of its hash tag, which is the text between the first
// `{` and the next `}` unless there is none of it (Redis Cluster specification). Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace penstock::limiter::redis {

using cluster_slot = std::uint16_t;
inline constexpr std::size_t slot_count = 16384;

// CRC-16/XMODEM: polynomial 0x1021, from 0, nothing reflected.
std::uint16_t crc16(std::string_view bytes) noexcept;

// What of a key decides its slot.
std::string_view hashed_part(std::string_view key) noexcept;
cluster_slot slot_of(std::string_view key) noexcept;

// A key that begins with `prefix` and belongs to a slot of which `wanted` is true; empty if none was found in many tries. A
// prefix without a hash tag.
template <class Wanted>
std::string key_in_slot(std::string_view prefix, Wanted const& wanted)
{
    constexpr std::uint32_t most_tries = 16 * slot_count; // of a single slot: found but for once in ten million
    for (std::uint32_t number = 0; number < most_tries; ++number) {
        auto key = std::string(prefix) + "{penstock-probe-" + std::to_string(number) + "}";
        if (wanted(slot_of(key))) return key;
    }
    return {};
}

} // namespace penstock::limiter::redis
