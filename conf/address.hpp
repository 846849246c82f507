// The written forms of addresses: where to listen, where an upstream is. Knows no key and resolves no name.
// Called by check_value, compile and
// redis_url. Pure.
#pragma once

#include "base/ip_address.hpp"
#include "conf/settings.hpp"
#include "proxy/upstream_spec.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace penstock::conf {

// 0.0.0.0:8080, [::]:8080 or unix:/path; the host must be a literal address.
std::optional<bind_address> parse_bind_address(std::string_view text);

// app:3000, 10.0.0.1:3000, [2001:db8::1]:3000 or unix:/path.
std::optional<proxy::endpoint_spec> parse_endpoint(std::string_view text);

// A host, a name or an address in its one strict form (IP-9), without a port.
bool is_host(std::string_view text);
// cache.local:6379, 10.0.0.1, [2001:db8::1]:6379; `otherwise` is the port that none means.
struct host_and_port {
    std::string host;
    std::uint16_t port;
};
std::optional<host_and_port> parse_host_and_port(std::string_view text, std::uint16_t otherwise);
// An absolute path that fits the address of a unix socket.
std::optional<std::string> parse_unix_path(std::string_view text);

// Address or address/prefix, without bits beyond the prefix.
std::optional<base::ip_network> parse_network(std::string_view text);

// The host of a route as the route table compares it: example.com, [2001:db8::1], *.example.com; no port.
std::optional<std::string> parse_host_pattern(std::string_view text);

bool is_loopback(bind_address const& address); // a unix socket counts as one

} // namespace penstock::conf
