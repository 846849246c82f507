// base64url without padding, in the one spelling that each sequence of bytes has (RFC 7515 section 2, RFC 4648 section
// 3.5): whatever else is refused, so that no token has a second spelling (AK-26, AK-27). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace penstock::auth {

bool is_base64url(std::string_view text) noexcept; // of its alphabet; empty counts

// Nothing if `text` has a foreign character, an impossible length, or bits set that no byte takes.
std::optional<std::string> decode_base64url(std::string_view text);

} // namespace penstock::auth
