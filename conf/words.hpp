// Small written forms that are neither numbers nor addresses: names, media types, digests, lists of words. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace penstock::conf {

inline constexpr std::size_t longest_name = 64;       // RL-9
inline constexpr std::size_t longest_key_prefix = 32; // of every key in Redis

std::vector<std::string_view> split_words(std::string_view words); // a|b|c; nothing gives nothing

bool is_name(std::string_view text) noexcept;       // [A-Za-z0-9._-]{1,64} (RL-9)
bool is_zone_name(std::string_view text) noexcept;  // Europe/Berlin, as the time zone database spells names
bool is_media_type(std::string_view text) noexcept; // type/subtype and parameters, as a field value may hold them

std::optional<std::array<std::uint8_t, 32>> parse_digest(std::string_view text) noexcept; // 64 hex digits

} // namespace penstock::conf
