// Look at all, then charge all or none: from what each limit says of its claim to the verdict on the request. Called by
// the stores in this process; lua/acquire.lua is its twin. Knows no store, key or lock. Pure.
#pragma once

#include "limiter/claim.hpp"

#include <span>

namespace penstock::limiter {

// `looks[i]` is what advance() said of `asked[i]` at `now`. The request is allowed unless a limit that is enforced refuses.
// Where it is refused, the claims that would have passed are answered as they stand, uncharged.
verdict evaluate(std::span<claim const> asked, std::span<advanced const> looks, base::instant now) noexcept;

// What a store must keep for one claim. In a refused request nothing is charged, claims in shadow included.
enum class keeping : std::uint8_t { nothing, charge, repair };
keeping what_to_keep(claim const& asked, advanced const& look, bool request_allowed) noexcept;
// The same as a state, of an algorithm that keeps a short one; null: nothing.
counter_state const* state_to_keep(claim const& asked, advanced const& look, bool request_allowed) noexcept;

} // namespace penstock::limiter
