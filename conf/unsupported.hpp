// What the language has and this version does not: keys and values that are understood and refused, never ignored and never
// called unknown. Building one of them begins with removing its line here. Called by check_shape. Pure data.
#pragma once

#include <span>
#include <string_view>

namespace penstock::conf {

struct unsupported {
    std::string_view path;    // as in known_keys
    std::string_view value;   // empty: the key itself; a trailing '*' stands for any rest
    std::string_view instead; // what to write in this version
};

std::span<unsupported const> unsupported_parts() noexcept;

// Null if the key is supported or not known at all.
unsupported const* find_unsupported_key(std::string_view path) noexcept;
unsupported const* find_unsupported_value(std::string_view path, std::string_view value) noexcept;

} // namespace penstock::conf
