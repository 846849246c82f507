// What each field of a message is to a gateway, and which travel on: hop-by-hop removal (RFC 9110 7.6.1), what a caller may
// not claim about itself. Knows nothing of message bodies, parsers or sockets, nor of what is written in a field's place
// (forwarding_fields). Called by the builders of upstream requests and of answers. Pure.
#pragma once

#include <boost/container/static_vector.hpp>

#include <cstdint>
#include <string_view>

namespace penstock::proxy {

// What a field is to a gateway. Whoever builds a message copies `end_to_end` and decides on the rest by kind.
enum class field_kind : std::uint8_t {
    end_to_end,
    connection, // Connection: says what else is for this hop only
    hop_by_hop, // for this hop only, whatever Connection says (H1-71): Keep-Alive, Proxy-Connection, TE, Proxy-Auth*, HTTP2-Settings
    upgrade,        // Upgrade: hop-by-hop, sent on only for an upgrade that is carried out
    content_length, // framing is written anew (H1-46)
    transfer_encoding,
    host,
    expect,
    via,             // extended by append_forwarding_fields
    forwarded_chain, // Forwarded, X-Forwarded-For/-Proto/-Host/-Port: never copied, written by append_forwarding_fields
    address_claim,   // X-Real-IP, fields of CDNs that name the client: from trusted peers only (IP-14), see fate_of
    peer_claim,      // other X-Forwarded-*: from trusted peers only
    request_rewrite, // X-HTTP-Method-Override, X-Original-URL, ...: never sent on (H1-30)
    underscore,      // a name with '_', which CGI-style applications cannot tell from '-' (IP-15)
};

field_kind classify_field(std::string_view name) noexcept;

// What the Connection lines of one message say. Views into the message.
class connection_options {
public:
    static constexpr std::size_t most_names = 16;

    void add(std::string_view value) noexcept; // of one Connection line

    [[nodiscard]] bool close() const noexcept { return close_; }
    [[nodiscard]] bool keep_alive() const noexcept { return keep_alive_; }
    [[nodiscard]] bool upgrade() const noexcept { return upgrade_; }
    // More names than are held: the message cannot be forwarded faithfully and is refused.
    [[nodiscard]] bool too_many() const noexcept { return too_many_; }
    // Whether the field is to be removed because it was named; never true of what both ends rely on (H1-72, IP-16).
    [[nodiscard]] bool removes(std::string_view field) const noexcept;

private:
    boost::container::static_vector<std::string_view, most_names> names_;
    bool close_ = false;
    bool keep_alive_ = false;
    bool upgrade_ = false;
    bool too_many_ = false;
};

// Whether a field of an upstream's answer is copied as it is; Content-Length is the builder's, `Via` and names with '_' are copied.
bool forwards_response_field(std::string_view name, connection_options const& connection) noexcept;

} // namespace penstock::proxy
