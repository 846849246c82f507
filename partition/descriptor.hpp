// What a limit is counted by: an ordered list of entries (an address, an API key, a field, ...), compiled once from the
// configuration's `key`, evaluated against the facts of each request. Pure.
#pragma once

#include "base/request_facts.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace penstock::partition {

enum class entry_source : std::uint8_t {
    client_ip,         // IPv6 masked to `prefix` bits, IPv4 whole
    client_network,    // IPv4 masked to `prefix` bits, IPv6 to `ipv6_prefix` bits
    api_key,           // a keyed hash; never the key itself
    api_key_attribute, // attribute `name` of a known API key
    jwt_claim,         // claim at path `name` of a verified token, with its issuer: one `sub` of two issuers is two callers
    header,            // field `name`
    cookie,            // cookie `name`
    query,             // query parameter `name`
    method,
    host,
    path,         // normalised path
    path_capture, // capture `name`
    route,
    everyone, // one counter for all
};

// Whether a keyed hash stands for a value in a key. by_name: as the entry's name says, each time it is asked. The compiler of the
// configuration settles it, who also knows where API keys come from, which may have any name.
enum class hiding : std::uint8_t { by_name, hashed, clear };

struct entry {
    entry_source source = entry_source::everyone;
    std::string name;              // lower case for header; empty where the source needs none
    std::uint8_t prefix = 64;      // bits; client_ip: of an IPv6 address; client_network: of an IPv4 address
    std::uint8_t ipv6_prefix = 64; // bits; client_network: of an IPv6 address
    hiding value = hiding::by_name;

    friend bool operator==(entry const&, entry const&) = default;
};

// An ordered list of entries; two requests share a counter exactly if all entries are equal.
using descriptor = std::vector<entry>;

} // namespace penstock::partition
