// The store's side of leases: what a counter is with permits out on lease, and the two calls that such a counter meets. Twins
// of lua/lease.lua and, for lend's counter, of lua/acquire.lua, which give the same answer to the bit. Who holds permits is
// lease_account's matter. Called by tests and by bench/simulate; no store in this process lends. Pure.
#pragma once

#include "limiter/lease.hpp"

namespace penstock::limiter {

// Permits that were lent and not reported since. All of them lapse at one instant of the store's clock, after which no holder
// spends them.
struct lent_group {
    std::int64_t lapses_at_us = 0;
    std::int64_t out = 0; // 0: no group
    friend bool operator==(lent_group const&, lent_group const&) = default;
};

struct lending_counter {
    counter_state counter; // as the algorithm keeps it; of a token bucket, what is out is charged
    lent_group first;      // the earlier to lapse; `first.out` is 0 only if nothing is out
    lent_group second;
    friend bool operator==(lending_counter const&, lending_counter const&) = default;
};

struct lent {
    lease_answer answer;
    lending_counter next;
    bool changed = false; // `next` is to be kept
};

// lua/lease.lua. `state` null: an untouched counter. For token_bucket and fixed_window only.
lent lend(lease_request const& asked, lending_counter const* state, base::instant now) noexcept;

struct lending_advanced {
    advanced look;            // as advance() answers for this counter
    lending_counter next;     // to be kept where `look.next` is
    lending_counter repaired; // to be kept where `look.repaired` is
};

// The ordinary call on a counter that lends: limiter::advance() with what is out on lease kept out of reach.
lending_advanced advance_lending(algorithm const& parameters, lending_counter const* state, std::int64_t cost,
                                 base::instant now) noexcept;

} // namespace penstock::limiter
