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

} // namespace

// 10.1 or 010.0.0.1 would be read by some as another address.
bool is_host(std::string_view text)
{
    if (base::ip_address::parse(text)) return true;
    return is_host_name(text) && text.find_first_not_of("0123456789.") != std::string_view::npos;
}

std::optional<std::string> parse_unix_path(std::string_view text)
{
    if (!text.starts_with('/') || text.size() < 2 || text.size() > longest_unix_path) return std::nullopt;
    return std::string{text};
}

std::optional<host_and_port> parse_host_and_port(std::string_view text, std::uint16_t otherwise)
{
    auto const parts = split(text);
    if (!parts || !is_host(parts->host)) return std::nullopt;
    auto const port = parts->port ? parse_port(*parts->port, 1) : std::optional{otherwise};
    if (!port) return std::nullopt;
    return host_and_port{std::string{parts->host}, *port};
}

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
