// The API key in `Authorization: Basic`: the password, or the user name where the password is empty (`curl -u KEY:`), in
// Base64 as RFC 7617 and RFC 4648 section 4 have it. Pure; called by gateway/api_key_check.
#pragma once

#include <string>
#include <string_view>

namespace penstock::gateway {

// The key within `decoded`, which receives user name and password; empty if `credentials` are not Base64 or lack the colon.
std::string_view key_of_basic(std::string_view credentials, std::string& decoded);

} // namespace penstock::gateway
