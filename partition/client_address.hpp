// Who is calling, by address: from the fields of a peer that is trusted, and of nobody else. Chains (X-Forwarded-For,
// Forwarded) are read from the right, through proxies that are trusted and no further, or a fixed number of hops
// (IP-1..IP-11, IP-14, IP-18, IP-20..IP-24). Pure, allocates nothing; called by gateway/extract.
#pragma once

#include "base/ip_address.hpp"
#include "base/request_facts.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::partition {

enum class address_source : std::uint8_t {
    peer,            // whoever is connected
    x_forwarded_for, // a chain of addresses
    forwarded,       // a chain as RFC 7239 writes it
    single_field,    // one line with one address: X-Real-IP or the like
};

// What an address of 64:ff9b::/96 counts as: itself, or the IPv4 address in it.
enum class nat64_form : std::uint8_t { ipv6, ipv4 };

struct client_settings {
    address_source source = address_source::peer;
    std::string field; // of address_source::single_field: its name in lower case
    std::vector<base::ip_network> trusted_proxies;
    unsigned trusted_hops = 0; // the chain's element that names the client, counted from the right; 0: trusted_proxies decide
    unsigned ipv6_prefix = 64;
    nat64_form nat64 = nat64_form::ipv6;
};

struct client_address {
    std::optional<base::ip_address> client; // absent only where the peer has no address and nobody trusted named one
    bool peer_trusted = false;              // its forwarding fields may be kept and extended
    bool rejected_element = false;          // no address stood where one was looked for (counted)
    // What the element of Forwarded that names the client says of its request, as received; empty where it says nothing.
    std::string_view proto{};
    std::string_view host{};
};

bool is_among(std::span<base::ip_network const> networks, base::ip_address const& address) noexcept;

// What stands in place of the address of a caller that has none: one on a unix socket of whom no trusted proxy says more
// (IP-18). A limit by address holds for all of them together; else a caller could pass it by leaving the field out.
inline constexpr std::string_view nameless_client = "unix";

// `peer` absent: a unix socket; it is trusted exactly if `trusted_proxies` is not empty (IP-18).
client_address find_client(client_settings const& settings, std::optional<base::ip_address> const& peer,
                           std::span<base::field const> fields) noexcept;

} // namespace penstock::partition
