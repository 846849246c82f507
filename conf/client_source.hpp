// What says who is calling: `peer`, `x-forwarded-for`, `forwarded`, `x-real-ip` or `header NAME`. Called by check_value and
// read_settings. Pure.
#pragma once

#include "partition/client_address.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace penstock::conf {

struct client_source {
    partition::address_source source = partition::address_source::peer;
    std::string field; // of address_source::single_field: lower case
};

// Nothing also of a header that is no place for an address: a chain, what belongs to one connection, what may be a
// credential, a name with '_' (IP-15). Such a field is replaced on its way to the upstream.
std::optional<client_source> parse_client_source(std::string_view text);

} // namespace penstock::conf
