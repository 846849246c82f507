// The format gate: a token is three base64url segments with dots between them, of at most 8 KiB (AK-26, AK-36), or it is none.
// Knows nothing of what the segments say. Views into the token. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace penstock::auth {

inline constexpr std::size_t longest_token = 8192;

struct compact_token {
    std::string_view header;      // base64url, none of them empty
    std::string_view payload;     // likewise
    std::string_view signature;   // likewise
    std::string_view signed_text; // header and payload with the dot between them
};

// Nothing for JSON serialisations, for encrypted tokens (five segments) and for whatever else is no signed token.
std::optional<compact_token> split_token(std::string_view token) noexcept;

} // namespace penstock::auth
