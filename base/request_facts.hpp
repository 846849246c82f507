// What decisions may know of a request: plain views, extracted once from the head, before a body byte is read.
// Knows nothing of HTTP libraries or sockets. Filled by gateway/extract (and by the route match: route, captures);
// read by partition and limiter. Every view must outlive the exchange that it describes.
#pragma once

#include "base/ip_address.hpp"

#include <optional>
#include <span>
#include <string_view>

namespace penstock::base {

// One field line as it was received; several lines of one name stay several.
struct field {
    std::string_view name;
    std::string_view value; // without leading and trailing white space
};

// A part of the path that a pattern named: /users/{id} on /users/7 captures id=7.
struct path_capture {
    std::string_view name;
    std::string_view value;
};

struct request_facts {
    std::string_view method;                   // case as received
    std::string_view host;                     // lower case, without port and trailing dot
    std::string_view path;                     // normalised (H1-120..125)
    std::string_view query;                    // as received, without '?'
    std::span<field const> fields;             // in order
    std::optional<ip_address> peer;            // absent on a unix socket
    std::optional<ip_address> client;          // after the walk over trusted proxies; absent when nobody could be named
    std::string_view api_key;                  // as presented; empty when there is none
    std::span<field const> api_key_attributes; // of a known API key: plan=gold, ...
    std::string_view token_issuer;             // of a verified token
    std::span<field const> token_claims;       // of a verified token: claim path -> text, scalars of at most 256 bytes
    bool from_trusted_peer = false;            // its fields may be believed
    std::string_view route;                    // name of the matched route; empty before the match
    std::span<path_capture const> captures;
};

} // namespace penstock::base
