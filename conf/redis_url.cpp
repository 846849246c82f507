#include "conf/redis_url.hpp"

#include "conf/address.hpp"
#include "conf/scalar.hpp"

#include <string>
#include <utility>

namespace penstock::conf {

namespace {

constexpr std::uint16_t redis_port = 6379;
constexpr std::uint16_t sentinel_port = 26379;
constexpr std::size_t most_addresses = 32; // of sentinels, or of a cluster
constexpr std::size_t longest_name = 64;

std::optional<std::string> percent_decoded(std::string_view text)
{
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        if (i + 2 >= text.size()) return std::nullopt;
        auto const lower = [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c + ('a' - 'A')) : c; };
        auto const high = digits.find(lower(text[i + 1]));
        auto const low = digits.find(lower(text[i + 2]));
        if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
        out += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return out;
}

// Takes `LOGIN@` off the front of `rest`.
bool take_login(std::string_view& rest, limiter::redis_settings& into)
{
    auto const at = rest.find('@');
    if (at == std::string_view::npos) return true;
    auto const login = rest.substr(0, at);
    rest.remove_prefix(at + 1);
    auto const colon = login.find(':');
    auto user = percent_decoded(login.substr(0, colon));
    auto password = percent_decoded(colon == std::string_view::npos ? std::string_view{} : login.substr(colon + 1));
    if (!user || !password || (user->empty() && password->empty())) return false;
    into.user = std::move(*user);
    into.password = std::move(*password);
    return true;
}

bool set_database(std::string_view text, limiter::redis_settings& into)
{
    auto const database = parse_integer(text);
    if (!database || *database < 0 || *database > 1'000'000) return false;
    into.database = static_cast<unsigned>(*database);
    return true;
}

// Takes `?db=DATABASE` off the end of `rest`.
bool take_query(std::string_view& rest, limiter::redis_settings& into)
{
    auto const query = rest.find('?');
    if (query == std::string_view::npos) return true;
    auto const parameter = rest.substr(query + 1);
    rest = rest.substr(0, query);
    return parameter.starts_with("db=") && set_database(parameter.substr(3), into);
}

bool set_path(std::string_view rest, limiter::redis_settings& into)
{
    auto path = parse_unix_path(rest);
    if (path) into.unix_path = std::move(*path);
    return path.has_value();
}

// HOST[:PORT][/DATABASE]
bool set_host(std::string_view rest, limiter::redis_settings& into)
{
    auto const slash = rest.find('/');
    auto target = parse_host_and_port(rest.substr(0, slash), redis_port);
    if (!target) return false;
    into.host = std::move(target->host);
    into.port = target->port;
    if (slash == std::string_view::npos || slash + 1 == rest.size()) return true;
    return set_database(rest.substr(slash + 1), into);
}

bool is_primary_name(std::string_view text)
{
    auto const is_plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
    };
    for (auto const c : text)
        if (!is_plain(c)) return false;
    return !text.empty() && text.size() <= longest_name;
}

// HOST[:PORT][,HOST[:PORT]…]
bool read_addresses(std::string_view text, std::uint16_t otherwise, std::vector<limiter::redis_address>& into)
{
    for (;;) {
        auto const comma = text.find(',');
        auto one = parse_host_and_port(text.substr(0, comma), otherwise);
        if (!one || into.size() == most_addresses) return false;
        into.push_back({std::move(one->host), one->port});
        if (comma == std::string_view::npos) return true;
        text.remove_prefix(comma + 1);
    }
}

// The same, then nothing but the only database that a cluster has.
bool set_cluster(std::string_view rest, limiter::redis_settings& into)
{
    auto const slash = rest.find('/');
    auto const path = slash == std::string_view::npos ? std::string_view{} : rest.substr(slash);
    if ((!path.empty() && path != "/" && path != "/0") || into.database != 0) return false;
    return read_addresses(rest.substr(0, slash), redis_port, into.cluster_seeds);
}

// HOST[:PORT][,HOST[:PORT]…]/NAME[/DATABASE]
bool set_sentinels(std::string_view rest, limiter::redis_settings& into)
{
    limiter::sentinel_settings made;
    auto const slash = rest.find('/');
    if (slash == std::string_view::npos) return false;
    if (!read_addresses(rest.substr(0, slash), sentinel_port, made.addresses)) return false;
    rest.remove_prefix(slash + 1);
    auto const end = rest.find('/');
    made.primary = rest.substr(0, end);
    if (!is_primary_name(made.primary)) return false;
    into.sentinels = std::move(made);
    return end == std::string_view::npos || set_database(rest.substr(end + 1), into);
}

} // namespace

std::optional<limiter::redis_settings> parse_redis_url(std::string_view text)
{
    struct scheme {
        std::string_view begins;
        bool has_tls;
        bool (*set_place)(std::string_view rest, limiter::redis_settings& into);
    };
    for (auto const& each :
         {scheme{"redis://", false, set_host}, scheme{"rediss://", true, set_host}, scheme{"unix://", false, set_path},
          scheme{"redis+sentinel://", false, set_sentinels}, scheme{"rediss+sentinel://", true, set_sentinels},
          scheme{"redis+cluster://", false, set_cluster}, scheme{"rediss+cluster://", true, set_cluster}}) {
        if (!text.starts_with(each.begins)) continue;
        text.remove_prefix(each.begins.size());
        limiter::redis_settings made;
        if (each.has_tls) made.tls.emplace();
        if (!take_login(text, made) || !take_query(text, made) || !each.set_place(text, made)) return std::nullopt;
        return made;
    }
    return std::nullopt;
}

} // namespace penstock::conf
