// Writes the head of the request that goes to the upstream: the gateway's own framing, version and forwarding fields, every
// other field as it came (H1-11, H1-46, H1-70..H1-76). Pure.
#pragma once

#include "proxy/forwarding_fields.hpp"
#include "proxy/message_head.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace penstock::proxy {

struct outgoing_head {
    request_head const& received;
    std::string_view target;              // origin-form, as it is to be sent
    forwarding_context const& origin;     // who sent it and how
    std::string_view upgrade;             // the protocol to ask for; empty: none
    std::optional<unsigned> max_forwards; // of OPTIONS, as received: one less is sent
};

// Replaces the content of `out`. False if the head cannot be forwarded faithfully (too many Connection options).
bool write_outgoing_head(std::string& out, outgoing_head const& head);

} // namespace penstock::proxy
