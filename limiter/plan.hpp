// The limits that a route's requests meet, compiled: an ordered list of terms, each one limit or the first of several whose
// key the request has. Immutable, owned by the snapshot. Pure value.
#pragma once

#include "limiter/policy.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace penstock::limiter {

struct term {
    std::vector<policy const*> first_of; // one element: a plain limit. Never empty.
};

struct plan {
    std::vector<term> terms;             // those before_auth first; empty: the route is unlimited
    std::size_t before_auth = 0;         // so many terms are met before anybody verifies a credential (AK-44)
    std::vector<term> failed_attempt;    // what a request is charged to whose credentials are refused (AK-40)
    std::optional<std::int64_t> cost;    // the route's, in place of the policies' own
    std::optional<cost_field> cost_from; // likewise
};

// Some of a plan's terms, at the plan's costs. The plan outlives it.
struct plan_part {
    plan const* of;
    std::span<term const> terms;

    plan_part(plan const& whole) noexcept : of(&whole), terms(whole.terms) {}
    plan_part(plan const& whole, std::span<term const> some) noexcept : of(&whole), terms(some) {}
};
inline plan_part before_auth(plan const& all) noexcept { return {all, std::span(all.terms).first(all.before_auth)}; }
inline plan_part after_auth(plan const& all) noexcept { return {all, std::span(all.terms).subspan(all.before_auth)}; }
inline plan_part failed_attempt(plan const& all) noexcept { return {all, all.failed_attempt}; }

} // namespace penstock::limiter
