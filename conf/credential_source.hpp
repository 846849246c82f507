// Where an API key is looked for: `header NAME` or `authorization ApiKey` (AK-1). Called by check_value and compile. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace penstock::conf {

struct credential_source {
    std::string field; // lower case; empty: Authorization: ApiKey KEY
};

std::optional<credential_source> parse_credential_source(std::string_view text);

} // namespace penstock::conf
