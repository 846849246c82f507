// What one gateway makes of a limit of the fleet while the fleet's store does not answer: its part of the permits, and the
// level at which it begins. limiter/stand_in puts both to use. Knows no store, no table and no clock. Pure.
#pragma once

#include "limiter/algorithm.hpp"
#include "limiter/fleet_part.hpp"

#include <optional>
#include <string_view>

namespace penstock::limiter {

// The part of `whole` that belongs to one gateway for the counter under `key`. What does not divide goes one each to some of the
// gateways, to others for another key: the parts of all gateways of one count never add up to more than `whole`, for no key
// to nothing. Nothing: this gateway has no permit of this counter.
std::optional<algorithm> outage_share(algorithm const& whole, std::string_view key, fleet_part const& part) noexcept;

// What was said of a counter last: by the store, or by whoever counted in its place.
struct last_answer {
    std::int64_t remaining = 0;
    base::instant at{}; // ours
    base::micros reset_after{0};
    friend bool operator==(last_answer const&, last_answer const&) = default;
};

// Where a share begins, of a limit that admits `burst` at once: at the part of what the store said last that the share is of the
// burst, grown since as the share does; and at half of the share at most, the best that can be said of a counter that nothing is
// known of. Not for concurrency.
any_state outage_entry(algorithm const& share, std::int64_t burst, std::optional<last_answer> const& known, base::instant now);

// A counter that stood so after its last charge. What was charged before is taken to be as young as that. Not for concurrency.
any_state counter_after(algorithm const& limit, last_answer const& charge, base::instant now);

} // namespace penstock::limiter
