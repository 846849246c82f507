// Where a key set is fetched from: an http or https URL in the parts that a request needs. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace penstock::auth {

struct web_address {
    enum class scheme : std::uint8_t { http, https };
    scheme how = scheme::https;
    std::string host;      // as a resolver wants it: an IPv6 address without brackets
    std::string port;      // "443" where the URL says none
    std::string authority; // for the Host field
    std::string target;    // path and query; at least "/"

    [[nodiscard]] bool is_loopback() const noexcept; // as written: localhost, 127.0.0.0/8, ::1
};

// Nothing for another scheme, for user names and fragments, for ports that nobody has, for names that begin with an IPv4
// address, and for what is no URL.
std::optional<web_address> parse_web_address(std::string_view url);

} // namespace penstock::auth
