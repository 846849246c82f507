// Whether a document uses only keys that exist, where they may stand, with values of their form: the walk over the tree
// beside the table of known keys. Knows no relation between two keys (check.hpp does). Called by load. Pure.
#pragma once

#include "conf/document.hpp"

namespace penstock::conf {

// False if a list is so far beyond its bound that the checks which compare its elements would take minutes.
[[nodiscard]] bool check_shape(node const& root, problem_list& problems);

} // namespace penstock::conf
