// What every response needs to know of its request and its moment.
#pragma once

#include "auth/token_settings.hpp"
#include "conf/settings.hpp"

#include <cstdint>
#include <string_view>

namespace penstock::gateway {

enum class persistence : std::uint8_t { keep_alive, close };

struct response_context {
    conf::response_settings const& settings;
    std::string_view date;  // IMF-fixdate
    std::int64_t now_s = 0; // the same moment, seconds since the epoch
    persistence connection = persistence::keep_alive;
    auth::token_settings const* tokens = nullptr; // null: none is ever looked at
    bool head_request = false;                    // no body, the same fields
    std::string_view origin;                      // of a browser's cross-origin request; empty: none
};

} // namespace penstock::gateway
