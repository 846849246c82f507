// The header of the PROXY protocol, versions 1 and 2, with which a load balancer says at the start of a connection whom it
// carries (IP-30..IP-39). Reads what has arrived so far and says whether it is a whole header; keeps nothing between two
// calls. Knows nothing of trust, time-outs or sockets. Pure, allocates nothing; called by gateway/session.
#pragma once

#include "base/ip_address.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace penstock::proxy {

// What a listener expects in front of every connection. Whether a header is there is never guessed (IP-30).
enum class proxy_protocol : std::uint8_t { off, v1, v2, any };

enum class proxy_header_problem : std::uint8_t {
    none,
    missing,      // does not begin as an accepted version does: a client that speaks HTTP, or the other version
    malformed,    // begins so, and is no header
    too_large,    // announces more bytes than `largest_proxy_header`
    bad_checksum, // its CRC-32C is another one
};

// The metric label: "proxy_header_missing", ...
std::string_view name_of(proxy_header_problem problem) noexcept;

inline constexpr std::size_t largest_proxy_header = 4096; // bytes; of version 1 the protocol itself allows 107

struct proxy_header {
    // Whom the connection is for. Absent where the header leaves that to the connection itself: LOCAL, UNKNOWN, UNSPEC, and
    // the unix sockets of another machine, whose callers have no address.
    std::optional<base::ip_address> source{};
    std::size_t length = 0; // bytes of the header; 0: more must arrive, or there is a problem
    proxy_header_problem problem = proxy_header_problem::none;
};

// `received` is all that has arrived, from the first byte. `accepted` is not `off`. A problem is told as soon as it shows.
proxy_header read_proxy_header(std::string_view received, proxy_protocol accepted) noexcept;

} // namespace penstock::proxy
