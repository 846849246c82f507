// Which known word somebody may have meant: the nearest by edit distance, if it is near at all. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace penstock::conf {

// Empty if nothing is near (more than a third of the letters differ).
std::string_view nearest(std::string_view written, std::span<std::string_view const> known);

// "did you mean 'x'?", or "known here: a, b, c", or "" if nothing is known.
std::string suggestion(std::string_view written, std::span<std::string_view const> known);

} // namespace penstock::conf
