#include "auth/base64url.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace penstock::auth {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint8_t foreign = 64;

constexpr std::array<std::uint8_t, 256> values = [] {
    std::array<std::uint8_t, 256> made{};
    made.fill(foreign);
    for (std::size_t i = 0; i < alphabet.size(); ++i)
        made[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
    return made;
}();

std::uint8_t value_of(char c) noexcept { return values[static_cast<unsigned char>(c)]; }

} // namespace

bool is_base64url(std::string_view text) noexcept
{
    return std::all_of(text.begin(), text.end(), [](char c) { return value_of(c) != foreign; });
}

std::optional<std::string> decode_base64url(std::string_view text)
{
    if (text.size() % 4 == 1 || !is_base64url(text)) return std::nullopt;
    std::string bytes;
    bytes.reserve(text.size() / 4 * 3 + 2);
    std::uint32_t pending = 0; // bits that are no whole byte yet
    unsigned bits = 0;
    for (char const c : text) {
        pending = pending << 6U | value_of(c);
        bits += 6;
        if (bits < 8) continue;
        bits -= 8;
        bytes.push_back(static_cast<char>(pending >> bits & 0xffU));
    }
    auto const left_over = pending & ((1U << bits) - 1U);
    if (left_over != 0) return std::nullopt;
    return bytes;
}

} // namespace penstock::auth
