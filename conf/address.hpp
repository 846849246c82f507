// The written forms of addresses: where to listen, where an upstream is, where Redis is. Knows no key and resolves no name.
// Called by check_value and compile. Pure.
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

// redis://[[user]:password@]host[:port][/database], unix://[[user]:password@]/path[?db=database]. User and password may be
// percent-encoded. Only what a URL can say is set.
std::optional<limiter::redis_settings> parse_redis_url(std::string_view text);

// Address or address/prefix, without bits beyond the prefix.
std::optional<base::ip_network> parse_network(std::string_view text);

// The host of a route as the route table compares it: example.com, [2001:db8::1], *.example.com; no port.
std::optional<std::string> parse_host_pattern(std::string_view text);

bool is_loopback(bind_address const& address); // a unix socket counts as one

} // namespace penstock::conf
