// Whether the numbers of an algorithm, each right by itself, can be kept exactly together. Called by the checks of limits and of
// what stands in place of their numbers. Pure.
#pragma once

#include "conf/document.hpp"

#include <optional>
#include <string>

namespace penstock::conf {

struct exactness_problem {
    std::string key; // of the algorithm's section
    std::string what;
};

// Arguments as of read_algorithm. Nothing where they can, or where a number is missing or wrong by itself (reported by
// check_shape). The numbers of a fixed window always can.
std::optional<exactness_problem> problem_with_exactness(member const& algorithm, node const* instead);

} // namespace penstock::conf
