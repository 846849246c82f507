// The words that say what a limit is counted by: client.ip, header.x-tenant, path.id, ... Knows what each needs and how far
// it can be trusted, not where it stands. Called by check_value, outline and the checks. Pure.
#pragma once

#include "partition/client_address.hpp"
#include "partition/descriptor.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace penstock::conf {

std::optional<partition::entry> parse_key_entry(std::string_view text, partition::client_settings const& client);

// What would be right, for a text that parse_key_entry refuses.
std::string expected_key_entry(std::string_view text);

// The name in `api_key.NAME`; empty if `text` is nothing like it.
std::string_view parse_attribute(std::string_view text) noexcept;
// The path in `jwt.CLAIM.PATH`, such as sub, realm.tenant or https://example.com/tenant; empty if `text` is nothing like it.
std::string_view parse_claim(std::string_view text) noexcept;

// Not every request has it.
bool is_optional(partition::entry const& what) noexcept;
// What a route leaves to the caller: whatever is not settled here, it says as it likes.
struct settled {
    bool api_key = false; // only known ones are good
    bool host = false;    // the route has one host,
    bool path = false;    // one path without wildcards and captures,
    bool method = false;  // and a list of methods
};
// Any caller can make up a value of its own, and so a fresh counter with each request (AK-6).
bool is_made_up(partition::entry const& what, settled const& by_route) noexcept;
// Says something of who asks, and not only of what is asked for.
bool tells_callers_apart(partition::entry const& what) noexcept;

bool is_field_name(std::string_view text) noexcept; // RFC 9110 5.1: a token
std::string lower_case(std::string_view text);

} // namespace penstock::conf
