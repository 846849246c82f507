// Where an API key is looked for: a header, a scheme of Authorization, a query parameter or a cookie (AK-1). Called by
// check_value and read_settings. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace penstock::conf {

struct credential_source {
    enum class place : std::uint8_t {
        header,        // the whole field `name`
        authorization, // what follows the scheme `name`
        query,         // the parameter `name`
        cookie,        // the cookie `name`
    };
    place where = place::header;
    std::string name; // of a header and of a scheme in lower case

    friend bool operator==(credential_source const&, credential_source const&) = default;
};

// What may be written, for messages.
inline constexpr std::string_view credential_sources =
    "header NAME, authorization ApiKey, authorization Bearer, authorization Basic, query NAME or cookie NAME";

std::optional<credential_source> parse_credential_source(std::string_view text);

} // namespace penstock::conf
