// What the upstream is told of where a request comes from: X-Forwarded-*, Forwarded and Via, written anew, so that all that
// names the client says the same (IP-6, IP-16, IP-17, IP-25, IP-26). Knows nothing of message bodies or sockets, and does
// not decide whom to believe. Called by outgoing_head. Pure.
#pragma once

#include "base/ip_address.hpp"
#include "base/request_facts.hpp"
#include "proxy/fields.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace penstock::proxy {

enum class peer_trust : std::uint8_t { untrusted, trusted };

// By what a trusted peer tells who is calling.
enum class told_by : std::uint8_t {
    nothing, // the peer is the client; what it sends is passed on unread
    x_forwarded_for,
    forwarded,
    single_field, // X-Real-IP or the like
};

// What is known of a request when its forwarding fields are written.
struct forwarding_context {
    std::span<base::field const> fields;    // as received
    std::optional<base::ip_address> peer;   // who connected; absent on a unix socket
    std::optional<base::ip_address> client; // who is calling, by all that is believed; absent when nobody could be named
    peer_trust trust = peer_trust::untrusted;
    told_by source = told_by::nothing;
    std::string_view source_field;      // of told_by::single_field: its name in lower case
    std::string_view forwarded_proto;   // of told_by::forwarded: what the client's element says; with quotes, or empty
    std::string_view forwarded_host;    // likewise
    std::string_view forwarded_by;      // what this gateway calls itself in Forwarded, a token; empty: nothing
    std::string_view scheme;            // `http` or `https`: how the peer reached this gateway
    std::string_view authority;         // host and port that the request named; empty: none (HTTP/1.0)
    std::string_view received_protocol; // `1.0` or `1.1`
    std::string_view via_name;          // this gateway's pseudonym
    std::span<std::string_view const> key_fields; // in which callers say who they are: lower case, never removed (H1-72)
};

// What becomes of a field of a request.
enum class field_fate : std::uint8_t {
    removed,      // or written by the builder itself
    copied,       // as it is
    names_client, // a line of this name is sent, with the address of `client`
};

field_fate fate_of(std::string_view name, connection_options const& connection, forwarding_context const& context) noexcept;

// Appends X-Forwarded-For, -Proto, -Host, (from a trusted peer) -Port, Forwarded (where it is the source) and Via as lines
// with CRLF. A trusted peer's chain is kept and the peer appended to it; of Forwarded, whose form can be broken, what stands
// to the right of the first broken element. The chain that is not the source is written from the one that is, or not at all;
// other values of a trusted peer are kept where they are valid. An untrusted peer's are replaced.
void append_forwarding_fields(std::string& out, forwarding_context const& context);

} // namespace penstock::proxy
