// The one spelling of a path that routes, limits and (by default) the upstream see: unreserved characters decoded, hex
// upper-cased, dot segments removed, slashes merged first (RFC 3986 6.2.2, 5.2.4; H1-120..125), what no URI may hold raw
// (`"<>[]^`{|}`) escaped. Escapes of other characters stay: `%252f` is a percent sign and `2f`. Case, a trailing slash and
// `;parameters` are kept (H1-126). What an upstream could read in two ways is refused: escaped slash or backslash,
// NUL, malformed escape, invalid UTF-8, a climb above the root. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace penstock::proxy {

enum class path_problem : std::uint8_t {
    none,
    not_absolute,      // does not begin with '/'
    forbidden_byte,    // raw control, space, '#', '?', '\', or a byte above 0x7E
    malformed_escape,  // '%' without two hex digits
    encoded_separator, // %2F or %5C (H1-123)
    encoded_control,   // %00..%1F, %7F (H1-124)
    invalid_utf8,      // overlong or broken UTF-8 in escapes (H1-124)
    above_root,        // dot segments climb above '/' (H1-125)
};

// Writes the normal form of `raw` (a path without query) to `out`, replacing its content. If `raw` is already normal,
// `out` is left empty and `is_normal` is set; without an escape in it, that takes one look at each byte and no copy.
struct normalised {
    path_problem problem = path_problem::none;
    bool is_normal = false;
};
normalised normalise_path(std::string_view raw, std::string& out);

// A sentence for the client that sent it.
std::string_view describe(path_problem problem) noexcept;

} // namespace penstock::proxy
