#include "conf/address.hpp"

#include "conf/scalar.hpp"
#include "proxy/host_name.hpp"

#include <algorithm>

namespace penstock::conf {

namespace {

constexpr std::size_t longest_unix_path = 107; // sockaddr_un, without the terminating NUL
constexpr std::size_t longest_host = 253;
constexpr std::string_view unix_scheme = "unix:";

struct host_port {
    std::string_view host;
    std::optional<std::string_view> port;
};

// host, host:port, [v6] or [v6]:port.
std::optional<host_port> split(std::string_view text)
{
    if (text.starts_with('[')) {
        auto const end = text.find(']');
        if (end == std::string_view::npos) return std::nullopt;
        auto const host = text.substr(1, end - 1);
        auto const address = base::ip_address::parse(host);
        if (host.find(':') == std::string_view::npos || !address) return std::nullopt;
        auto const rest = text.substr(end + 1);
        if (rest.empty()) return host_port{host, std::nullopt};
        if (!rest.starts_with(':')) return std::nullopt;
        return host_port{host, rest.substr(1)};
    }
    auto const colon = text.find(':');
    if (colon == std::string_view::npos) return host_port{text, std::nullopt};
    return host_port{text.substr(0, colon), text.substr(colon + 1)};
}

std::optional<std::uint16_t> parse_port(std::string_view text, std::int64_t least)
{
    auto const port = parse_integer(text);
    if (!port || *port < least || *port > 65535) return std::nullopt;
    return static_cast<std::uint16_t>(*port);
}

bool is_host_name(std::string_view host)
{
    auto const is_plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
    };
    return !host.empty() && host.size() <= longest_host && std::all_of(host.begin(), host.end(), is_plain) &&
           host.front() != '.' && host.front() != '-';
}

// A name, or an address in its one strict form: 10.1 or 010.0.0.1 would be read by some as another address (IP-9).
bool is_host(std::string_view host)
{
    if (base::ip_address::parse(host)) return true;
    return is_host_name(host) && host.find_first_not_of("0123456789.") != std::string_view::npos;
}

std::optional<std::string> parse_unix_path(std::string_view path)
{
    if (!path.starts_with('/') || path.size() < 2 || path.size() > longest_unix_path) return std::nullopt;
    return std::string{path};
}

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

// Takes `[[user]:password@]` off the front of `rest`.
bool take_login(std::string_view& rest, limiter::redis_settings& into)
{
    auto const at = rest.find('@');
    if (at == std::string_view::npos) return true;
    auto const login = rest.substr(0, at);
    rest.remove_prefix(at + 1);
    auto const colon = login.find(':');
    if (colon == std::string_view::npos) return false;
    auto user = percent_decoded(login.substr(0, colon));
    auto password = percent_decoded(login.substr(colon + 1));
    if (!user || !password) return false;
    into.user = std::move(*user);
    into.password = std::move(*password);
    return true;
}

bool set_database(std::string_view text, limiter::redis_settings& into)
{
    auto const database = parse_integer(text);
    if (!database || *database > 1'000'000) return false;
    into.database = static_cast<unsigned>(*database);
    return true;
}

std::optional<limiter::redis_settings> parse_redis_socket(std::string_view rest)
{
    limiter::redis_settings made;
    if (!take_login(rest, made)) return std::nullopt;
    auto const query = rest.find('?');
    auto path = parse_unix_path(rest.substr(0, query));
    if (!path) return std::nullopt;
    made.unix_path = std::move(*path);
    if (query == std::string_view::npos) return made;
    auto const parameter = rest.substr(query + 1);
    if (!parameter.starts_with("db=") || !set_database(parameter.substr(3), made)) return std::nullopt;
    return made;
}

std::optional<limiter::redis_settings> parse_redis_host(std::string_view rest)
{
    limiter::redis_settings made;
    if (!take_login(rest, made)) return std::nullopt;
    auto const slash = rest.find('/');
    auto const target = split(rest.substr(0, slash));
    if (!target || !is_host(target->host)) return std::nullopt;
    made.host = target->host;
    if (target->port) {
        auto const port = parse_port(*target->port, 1);
        if (!port) return std::nullopt;
        made.port = *port;
    }
    if (slash == std::string_view::npos || slash + 1 == rest.size()) return made;
    if (!set_database(rest.substr(slash + 1), made)) return std::nullopt;
    return made;
}

} // namespace

std::optional<bind_address> parse_bind_address(std::string_view text)
{
    bind_address made;
    made.text = text;
    if (text.starts_with(unix_scheme)) {
        auto path = parse_unix_path(text.substr(unix_scheme.size()));
        if (!path) return std::nullopt;
        made.unix_path = std::move(*path);
        return made;
    }
    auto const parts = split(text);
    if (!parts || !parts->port || !base::ip_address::parse(parts->host)) return std::nullopt;
    auto const port = parse_port(*parts->port, 0);
    if (!port) return std::nullopt;
    made.host = parts->host;
    made.port = *port;
    return made;
}

std::optional<proxy::endpoint_spec> parse_endpoint(std::string_view text)
{
    proxy::endpoint_spec made;
    made.label = text;
    if (text.starts_with(unix_scheme)) {
        auto path = parse_unix_path(text.substr(unix_scheme.size()));
        if (!path) return std::nullopt;
        made.unix_path = std::move(*path);
        return made;
    }
    auto const parts = split(text);
    if (!parts || !parts->port || !is_host(parts->host)) return std::nullopt;
    auto const port = parse_port(*parts->port, 1);
    if (!port) return std::nullopt;
    made.host = parts->host;
    made.port = *port;
    return made;
}

std::optional<limiter::redis_settings> parse_redis_url(std::string_view text)
{
    constexpr std::string_view by_host = "redis://";
    constexpr std::string_view by_socket = "unix://";
    if (text.starts_with(by_host)) return parse_redis_host(text.substr(by_host.size()));
    if (text.starts_with(by_socket)) return parse_redis_socket(text.substr(by_socket.size()));
    return std::nullopt;
}

std::optional<base::ip_network> parse_network(std::string_view text)
{
    auto const network = base::ip_network::parse(text);
    auto const address = base::ip_address::parse(text.substr(0, text.find('/')));
    if (!network || !address || network->address() != *address) return std::nullopt;
    return network;
}

std::optional<std::string> parse_host_pattern(std::string_view text)
{
    constexpr std::string_view any_label = "*.";
    bool const has_wildcard = text.starts_with(any_label);
    if (has_wildcard) text.remove_prefix(any_label.size());
    std::string scratch;
    auto const read = proxy::normalise_authority(text, scratch);
    if (!read || read->port) return std::nullopt;
    return (has_wildcard ? std::string{any_label} : std::string{}) + std::string{read->host};
}

bool is_loopback(bind_address const& address)
{
    if (address.host.empty()) return true;
    auto const ip = base::ip_address::parse(address.host);
    if (!ip) return false;
    return ip->is_v4() ? ip->bytes()[0] == 127 : ip == base::ip_address::parse("::1");
}

} // namespace penstock::conf
