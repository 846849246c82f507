#include "conf/key_language.hpp"

#include "auth/token_settings.hpp"
#include "conf/scalar.hpp"
#include "conf/suggest.hpp"

#include <algorithm>
#include <array>

namespace penstock::conf {

namespace {

using partition::entry_source;

struct plain_word {
    std::string_view text;
    entry_source source;
};
constexpr std::array plain_words{
    plain_word{"client.ip", entry_source::client_ip}, plain_word{"api_key", entry_source::api_key},
    plain_word{"method", entry_source::method},       plain_word{"host", entry_source::host},
    plain_word{"path", entry_source::path},           plain_word{"route", entry_source::route},
    plain_word{"everyone", entry_source::everyone},
};

struct named_word {
    std::string_view prefix;
    entry_source source;
};
constexpr std::array named_words{
    named_word{"header.", entry_source::header},
    named_word{"cookie.", entry_source::cookie},
    named_word{"query.", entry_source::query},
    named_word{"path.", entry_source::path_capture},
    named_word{"api_key.", entry_source::api_key_attribute},
};

constexpr std::string_view network_word = "client.network/";
constexpr std::size_t longest_name = 64;

// What a header, a cookie, a query parameter and a capture may be called, in this language.
bool is_entry_name(std::string_view name) { return name.size() <= longest_name && is_field_name(name); }

// `24`, of IPv4, or `24/48`, of IPv4 and of IPv6.
bool read_prefixes(std::string_view text, partition::entry& into)
{
    auto const slash = text.find('/');
    auto const v4 = parse_integer(text.substr(0, slash));
    if (!v4 || *v4 < 1 || *v4 > 32) return false;
    into.prefix = static_cast<std::uint8_t>(*v4);
    if (slash == std::string_view::npos) return true;
    auto const v6 = parse_integer(text.substr(slash + 1));
    if (!v6 || *v6 < 1 || *v6 > 128) return false;
    into.ipv6_prefix = static_cast<std::uint8_t>(*v6);
    return true;
}

} // namespace

std::optional<partition::entry> parse_key_entry(std::string_view text, partition::client_settings const& client)
{
    partition::entry made;
    made.prefix = static_cast<std::uint8_t>(client.ipv6_prefix);
    made.ipv6_prefix = made.prefix;
    for (auto const& word : plain_words) {
        if (word.text != text) continue;
        made.source = word.source;
        return made;
    }
    if (text.starts_with(network_word)) {
        if (!read_prefixes(text.substr(network_word.size()), made)) return std::nullopt;
        made.source = entry_source::client_network;
        return made;
    }
    if (auto const path = parse_claim(text); !path.empty()) {
        made.source = entry_source::jwt_claim;
        made.name = path;
        return made;
    }
    for (auto const& word : named_words) {
        if (!text.starts_with(word.prefix)) continue;
        auto const name = text.substr(word.prefix.size());
        if (!is_entry_name(name)) return std::nullopt;
        made.source = word.source;
        made.name = word.source == entry_source::header ? lower_case(name) : std::string{name};
        return made;
    }
    return std::nullopt;
}

std::string expected_key_entry(std::string_view text)
{
    static constexpr std::array<std::string_view, 14> forms{"api_key.ATTRIBUTE",
                                                            "jwt.CLAIM",
                                                            "client.ip",
                                                            "client.network/24",
                                                            "api_key",
                                                            "header.NAME",
                                                            "cookie.NAME",
                                                            "query.NAME",
                                                            "method",
                                                            "host",
                                                            "path",
                                                            "path.CAPTURE",
                                                            "route",
                                                            "everyone"};
    if (text.starts_with("jwt.")) return "write jwt. and the path of a claim, such as jwt.sub or jwt.realm.tenant";
    if (text.starts_with(network_word))
        return "write client.network/1 to client.network/32, or with IPv6 bits behind it, client.network/24/48";
    for (auto const& word : named_words) {
        if (text.starts_with(word.prefix))
            return "write " + std::string{word.prefix} + " and a name as of a header field, of 1 to 64 characters, such as " +
                   std::string{word.prefix} + "tenant";
    }
    if (auto const dot = text.find('.'); dot != std::string_view::npos) {
        static constexpr std::array<std::string_view, 6> families{"header", "cookie", "query", "path", "api_key", "jwt"};
        auto const family = nearest(text.substr(0, dot), families);
        if (!family.empty()) return "did you mean '" + std::string{family} + std::string{text.substr(dot)} + "'?";
    }
    return suggestion(text, forms);
}

std::string_view parse_attribute(std::string_view text) noexcept
{
    constexpr std::string_view prefix = "api_key.";
    if (!text.starts_with(prefix) || !is_entry_name(text.substr(prefix.size()))) return {};
    return text.substr(prefix.size());
}

std::string_view parse_claim(std::string_view text) noexcept
{
    constexpr std::string_view prefix = "jwt.";
    if (!text.starts_with(prefix)) return {};
    auto const path = text.substr(prefix.size());
    auto const is_plain = [](char c) { return c > ' ' && c < 0x7f && c != '|' && c != '"' && c != '\\'; };
    if (path.size() > auth::longest_claim_path || !std::all_of(path.begin(), path.end(), is_plain)) return {};
    if (path.starts_with('.') || path.ends_with('.') || path.find("..") != std::string_view::npos) return {};
    return path;
}

bool is_optional(partition::entry const& what) noexcept
{
    switch (what.source) {
    case entry_source::api_key:
    case entry_source::api_key_attribute:
    case entry_source::jwt_claim:
    case entry_source::header:
    case entry_source::cookie:
    case entry_source::query: return true;
    default: return false;
    }
}

bool is_made_up(partition::entry const& what, settled const& by_route) noexcept
{
    switch (what.source) {
    case entry_source::api_key: return !by_route.api_key;
    case entry_source::host: return !by_route.host;
    case entry_source::path: return !by_route.path;
    case entry_source::method: return !by_route.method;
    case entry_source::header:
    case entry_source::cookie:
    case entry_source::query:
    case entry_source::path_capture: return true;
    default: return false;
    }
}

bool tells_callers_apart(partition::entry const& what) noexcept
{
    switch (what.source) {
    case entry_source::method:
    case entry_source::host:
    case entry_source::path:
    case entry_source::path_capture:
    case entry_source::route:
    case entry_source::everyone: return false;
    default: return true;
    }
}

bool is_field_name(std::string_view text) noexcept
{
    constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
    return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               marks.find(c) != std::string_view::npos;
    });
}

std::string lower_case(std::string_view text)
{
    std::string lower{text};
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
    return lower;
}

} // namespace penstock::conf
