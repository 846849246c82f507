// Whether one written value has the form and lies within the bounds that the table of known keys gives it. Called by
// check_shape for every leaf. Pure.
#pragma once

#include "conf/document.hpp"
#include "conf/known_keys.hpp"

#include <string>

namespace penstock::conf {

// What is wrong and what would be right; empty if nothing is. `value` is a scalar.
std::string problem_with_value(known_key const& known, node const& value);

} // namespace penstock::conf
