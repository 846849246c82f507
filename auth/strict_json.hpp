// JSON that can be read in one way only: no member name twice (AK-27), no deeper than asked, nothing before or behind the
// one value, no byte-order mark, no NUL. Reading never throws, whatever the bytes. Pure.
#pragma once

#include <nlohmann/json.hpp>

#include <optional>
#include <string_view>

namespace penstock::auth {

// `most_depth`: of objects and arrays within each other; 1 is an object of scalars.
std::optional<nlohmann::json> parse_strict(std::string_view text, int most_depth);

// The string at `name` of an object; null if there is none, or if it is no string.
std::string const* find_text(nlohmann::json const& object, char const* name);

} // namespace penstock::auth
