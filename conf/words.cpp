#include "conf/words.hpp"

#include "conf/key_language.hpp"

#include <algorithm>

namespace penstock::conf {

namespace {

bool is_alphanumeric(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

int hex_value(char c) noexcept
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

} // namespace

std::vector<std::string_view> split_words(std::string_view words)
{
    std::vector<std::string_view> made;
    while (!words.empty()) {
        auto const bar = std::min(words.find('|'), words.size());
        made.push_back(words.substr(0, bar));
        words.remove_prefix(std::min(bar + 1, words.size()));
    }
    return made;
}

bool is_name(std::string_view text) noexcept
{
    return !text.empty() && text.size() <= longest_name &&
           std::all_of(text.begin(), text.end(), [](char c) { return is_alphanumeric(c) || c == '.' || c == '_' || c == '-'; });
}

bool is_zone_name(std::string_view text) noexcept
{
    bool const has_only_these = std::all_of(
        text.begin(), text.end(), [](char c) { return is_alphanumeric(c) || c == '/' || c == '_' || c == '+' || c == '-'; });
    return has_only_these && !text.empty() && text.size() <= longest_name && text.front() != '/' && text.back() != '/';
}

bool is_media_type(std::string_view text) noexcept
{
    auto const type = text.substr(0, text.find(';'));
    auto const slash = type.find('/');
    if (slash == std::string_view::npos || !is_field_name(type.substr(0, slash))) return false;
    auto const subtype = type.substr(slash + 1);
    return is_field_name(subtype.substr(0, subtype.find(' '))) &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

std::optional<std::array<std::uint8_t, 32>> parse_digest(std::string_view text) noexcept
{
    std::array<std::uint8_t, 32> digest{};
    if (text.size() != 2 * digest.size()) return std::nullopt;
    for (std::size_t i = 0; i < digest.size(); ++i) {
        auto const high = hex_value(text[2 * i]);
        auto const low = hex_value(text[2 * i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        digest[i] = static_cast<std::uint8_t>(high * 16 + low);
    }
    return digest;
}

} // namespace penstock::conf
