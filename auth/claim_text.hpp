// The claims that keys and tiers ask for, as text: a path leads through nested objects by dots; what it finds counts if it is
// a string or an integer of 1 to 256 bytes (AK-38). A path that can be read in two ways finds nothing. Pure.
#pragma once

#include "auth/verified_token.hpp"

#include <nlohmann/json_fwd.hpp>

#include <span>
#include <string>

namespace penstock::auth {

// Sets `into.claims` and `into.text`. `wanted` is sorted and outlives `into`.
void gather_claims(nlohmann::json const& payload, std::span<std::string const> wanted, verified_token& into);

} // namespace penstock::auth
