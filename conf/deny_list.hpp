// Who is turned away whatever the limits say: by address, or by the digest of an API key. One for the whole gateway, one for
// each route that has its own. Value; read by read_denials, asked by gateway/exchange.
#pragma once

#include "partition/digest_table.hpp"
#include "partition/network_set.hpp"

#include <cstdint>
#include <optional>

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
    bool everybody = false; // addresses hold a whole family (a /0): meant for callers without an address, too

    // A caller on a Unix socket that nobody names has no address.
    [[nodiscard]] bool denies(std::optional<base::ip_address> const& client) const noexcept
    {
        if (!client) return everybody;
        return addresses.contains(*client) && !except.contains(*client);
    }
};

} // namespace penstock::conf
