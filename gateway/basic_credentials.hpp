// What stands in `Authorization: Basic`: a user name and a password, in Base64 as RFC 7617 and RFC 4648 section 4 have it, of
// which one is the API key. Pure; called by gateway/api_key_check.
#pragma once

#include <string>
#include <string_view>

namespace penstock::gateway {

struct basic_credentials {
    bool is_readable = false; // Base64, with a colon inside
    std::string_view user_name;
    std::string_view password;

    // The password, or the user name where the password is empty (`curl -u KEY:`).
    [[nodiscard]] std::string_view key() const noexcept { return password.empty() ? user_name : password; }
};

// Views of `decoded`, which receives user name and password.
basic_credentials read_basic(std::string_view credentials, std::string& decoded);

} // namespace penstock::gateway
