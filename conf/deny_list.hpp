// Who is turned away whatever the limits say: by address, or by the digest of an API key. One for the whole gateway, one for
// each route that has its own. Value; read by read_denials, asked by gateway/exchange.
#pragma once

#include "partition/digest_table.hpp"
#include "partition/network_set.hpp"

#include <cstdint>

namespace penstock::conf {

enum class deny_action : std::uint8_t {
    reject, // 403
    close,  // the connection, without an answer (RL-72)
};

struct deny_list {
    partition::network_set addresses;
    partition::network_set except; // of these addresses
    partition::digest_table api_keys;
    deny_action action = deny_action::reject;

    [[nodiscard]] bool denies(base::ip_address const& client) const noexcept
    {
        return addresses.contains(client) && !except.contains(client);
    }
};

} // namespace penstock::conf
