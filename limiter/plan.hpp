// The limits that a route's requests meet, compiled: an ordered list of terms, each one limit or the first of several whose
// key the request has. Immutable, owned by the snapshot. Pure value.
#pragma once

#include "limiter/policy.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace penstock::limiter {

struct term {
    std::vector<policy const*> first_of; // one element: a plain limit. Never empty.
};

struct plan {
    std::vector<term> terms;             // empty: the route is unlimited
    std::optional<std::int64_t> cost;    // the route's, in place of the policies' own
    std::optional<cost_field> cost_from; // likewise
};

} // namespace penstock::limiter
