// Who is calling, by address: the walk over X-Forwarded-For from the right, through proxies that are trusted and no
// further (IP-1..IP-9, IP-14). Nobody is trusted unless listed. Pure; called by gateway/extract.
#pragma once

#include "base/ip_address.hpp"
#include "base/request_facts.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace penstock::partition {

enum class address_source : std::uint8_t { peer, x_forwarded_for };

struct client_settings {
    address_source source = address_source::peer;
    std::vector<base::ip_network> trusted_proxies;
    unsigned ipv6_prefix = 64;
};

struct client_address {
    std::optional<base::ip_address> client; // absent only where the peer has no address and nobody trusted named one
    bool peer_trusted = false;              // its forwarding fields may be kept and extended
    bool rejected_element = false;          // an element that is no address stood where the walk had to look (counted)
};

// `peer` absent: a unix socket; it is trusted exactly if `trusted_proxies` is not empty (IP-18).
client_address find_client(client_settings const& settings, std::optional<base::ip_address> const& peer,
                           std::span<base::field const> fields) noexcept;

} // namespace penstock::partition
