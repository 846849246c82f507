// Which values of a limit's key a hash stands for: all that may be credentials by their names, and all from places that API keys
// come from, whatever those are called (AK-5). And which of them are credentials for sure, so that no value of theirs belongs in a
// document. Called by outline, caller_identity and check_tiers. Pure.
#pragma once

#include "conf/credential_source.hpp"
#include "partition/descriptor.hpp"

#include <span>

namespace penstock::conf {

// `in_paths`: paths as a whole may hold some, too.
void hide_credentials(partition::descriptor& key, std::span<credential_source const> from, bool in_paths);

// The API key, under whatever name the entry reads it.
bool is_api_key(partition::entry const& what, std::span<credential_source const> from) noexcept;

// Cookies and HTTP authentication (RFC 9110 11.6.2, 11.7.2).
bool is_credential_field(partition::entry const& what) noexcept;

} // namespace penstock::conf
