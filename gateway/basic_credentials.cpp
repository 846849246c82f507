#include "gateway/basic_credentials.hpp"

#include <cstdint>

namespace penstock::gateway {
namespace {

int digit_of(char c) noexcept
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '+') return 62;
    return c == '/' ? 63 : -1;
}

// Strictly: whole groups of four, padded, no other byte, no bit that says nothing.
bool decode_base64(std::string_view text, std::string& out)
{
    out.clear();
    if (text.size() % 4 != 0) return false;
    for (auto padding = 0; padding < 2 && text.ends_with('='); ++padding) text.remove_suffix(1);
    std::uint32_t bits = 0;
    unsigned held = 0;
    for (char const c : text) {
        auto const digit = digit_of(c);
        if (digit < 0) return false;
        bits = bits << 6 | static_cast<std::uint32_t>(digit);
        held += 6;
        if (held < 8) continue;
        held -= 8;
        out.push_back(static_cast<char>(bits >> held & 0xFF));
    }
    return held < 6 && (bits & ((1U << held) - 1)) == 0;
}

} // namespace

basic_credentials read_basic(std::string_view credentials, std::string& decoded)
{
    if (!decode_base64(credentials, decoded)) return {};
    std::string_view const pair = decoded;
    auto const colon = pair.find(':');
    if (colon == std::string_view::npos) return {};
    return {.is_readable = true, .user_name = pair.substr(0, colon), .password = pair.substr(colon + 1)};
}

} // namespace penstock::gateway
