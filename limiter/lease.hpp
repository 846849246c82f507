// What a lease is, in values: permits of a busy key that a holder (one worker) takes in advance and may spend without asking,
// until they lapse. lease_account is the holder's side, lease_ledger and lua/lease.lua are the store's; this says what goes
// between them and how long a lease lives. Knows no table, no store and no time but what it is handed. Pure.
#pragma once

#include "limiter/algorithm.hpp"
#include "partition/partition_key.hpp"

#include <array>
#include <cstdint>
#include <optional>

namespace penstock::limiter {

// All permits that a store hands out in one epoch lapse together, one epoch after its end.
struct lease_terms {
    base::micros epoch{0};
    base::micros ahead{0}; // demand of this much time is taken at once
    friend bool operator==(lease_terms const&, lease_terms const&) = default;
};
inline constexpr base::micros longest_epoch{250'000};

// Short against the time in which the whole burst refills, so that permits that lapse unspent are few. Nothing for a limit
// that cannot be leased: another algorithm than token_bucket and fixed_window, or one whose burst refills within 16 ms.
std::optional<lease_terms> lease_terms_of(algorithm const& parameters) noexcept;

// What became of permits that lapse together. A group is named by the instant, on the store's clock, at which they lapse.
struct lease_report {
    std::int64_t lapses_at_us = 0; // 0: nothing to report
    std::int64_t spent = 0;        // since the last report
    std::int64_t returned = 0;     // unspent, and never to be spent now
    friend bool operator==(lease_report const&, lease_report const&) = default;
};
// A holder has permits of at most so many groups.
inline constexpr std::size_t lease_groups = 2;

// One call of the store. It goes out at most once: a report that arrived twice would free permits that others hold.
struct lease_request {
    partition::partition_key key;
    limiter::algorithm algorithm; // token_bucket or fixed_window
    std::int64_t want = 0;        // permits; 0 only reports
    std::int64_t least = 1;       // fewer would be of no use
    std::array<lease_report, lease_groups> reports{};
};

struct lease_answer {
    base::instant now{};           // the store's clock
    std::int64_t granted = 0;      // permits, spent from now on by the holder alone
    std::int64_t lapses_at_us = 0; // the group they belong to
    base::micros valid_for{0};     // from `now` until they lapse
    std::int64_t remaining = 0;    // permits left to everybody after this grant
    base::micros reset_after{0};   // until the counter is untouched
    base::micros retry_after{0};   // fewer than `least` granted: until that many are there; `never`: they cannot be
    friend bool operator==(lease_answer const&, lease_answer const&) = default;
};

} // namespace penstock::limiter
