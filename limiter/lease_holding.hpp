// One key of a leased limit as one holder sees it: how much is asked for, which permits are at hand and until when, what the
// store said last, and from these what to do with a request and when to ask for more. One of lease_account's entries; knows
// no other key, no table and no I/O. Pure.
#pragma once

#include "limiter/decision.hpp"
#include "limiter/jitter.hpp"
#include "limiter/lease.hpp"

#include <array>
#include <cstdint>

namespace penstock::limiter {

enum class lease_way : std::uint8_t {
    spent,   // admitted by this limit, on a permit at hand
    refused, // by this limit, on what the store said last: it had fewer permits than this holder alone needs
    ask      // the store, by its ordinary call
};

struct lease_ruling {
    lease_way way = lease_way::ask;
    bool renew = false;         // a call for more permits is to be sent now, whatever becomes of this request
    limiter::decision decision; // unless `ask`
};

class lease_holding {
public:
    lease_holding(algorithm const& limit, lease_terms const& terms, base::instant now) noexcept;

    [[nodiscard]] algorithm const& limit() const noexcept { return limit_; }
    // Other numbers for the same key, after a change of configuration. Permits of the old ones are never spent again.
    void change(algorithm const& limit, lease_terms const& terms) noexcept;

    // One request, and the demand that it is. `cost` >= 1.
    lease_ruling spend(std::int64_t cost, base::instant now) noexcept;
    // Takes back a spend() that admitted nothing in the end, before its `lease_until`: later another group's permit would be used
    // again in place of one that has lapsed. False if the store was told already.
    bool unspend(std::int64_t cost, base::instant now) noexcept;
    // Between a spend() and what becomes of its request: so many permits are not reported, and can be taken back.
    void leave_open(std::int64_t cost) noexcept { open_ += cost; }
    void decided(std::int64_t cost) noexcept
    {
        open_ = open_ > cost ? open_ - cost : 0;
    } // it may be of a holding before this one
    // The store refused the ordinary call at this cost, and said this.
    void refused_by_store(std::int64_t cost, decision const& said, base::instant now, jitter& random) noexcept;

    // What to send now: reports, and the permits that demand asks for. One call at a time: under_way() until answered() or
    // lost(). Leaves the request's key to the caller.
    void take_request(lease_request& to_send, base::instant now) noexcept;
    // The same when nothing asks for more: what present demand will not spend before it lapses goes back. False: nothing to send.
    bool take_return(lease_request& to_send, base::instant now) noexcept;
    // All of it goes back.
    bool take_everything(lease_request& to_send, base::instant now) noexcept;
    void answered(lease_request const& sent, base::instant sent_at, lease_answer const& got, base::instant now,
                  jitter& random) noexcept;
    void lost(base::instant now, jitter& random) noexcept;

    [[nodiscard]] bool under_way() const noexcept { return under_way_; }
    [[nodiscard]] std::int64_t held(base::instant now) const noexcept;
    // Permits a microsecond asked for of late.
    [[nodiscard]] double demand(base::instant now) const noexcept;
    // Nothing at hand, under way, left open or to be given back, and not busy: nothing is lost with this holding.
    [[nodiscard]] bool may_go(base::instant now) const noexcept;

private:
    struct permits {
        std::int64_t lapses_at_us = 0; // its name; 0: no group
        base::instant expires{};       // by our clock, never after it lapses at the store
        std::int64_t held = 0;
        std::int64_t spent = 0;    // not yet reported
        std::int64_t returned = 0; // not yet reported
    };

    [[nodiscard]] bool is_busy(std::int64_t cost, base::instant now) const noexcept;
    [[nodiscard]] bool runs_low(base::instant now) const noexcept;
    [[nodiscard]] lease_ruling refuse_or_ask(std::int64_t cost, bool renew, base::instant now) const noexcept;
    [[nodiscard]] base::micros wait_at_store(std::int64_t cost, base::instant now) const noexcept;
    base::instant take(std::int64_t cost, base::instant now) noexcept; // until when all of it lives
    permits& group_of(lease_answer const& got, base::instant expires) noexcept;
    // Spent so lately that limits which are asked only then (those behind a token's signature) may yet refuse the request.
    [[nodiscard]] std::int64_t fresh(base::instant now) const noexcept
    {
        auto const age = now - fresh_from_;
        return age <= 2 * round_trip_ ? fresh_before_ + fresh_ : age <= 4 * round_trip_ ? fresh_ : 0;
    }
    bool report(lease_request& to_send, std::int64_t open) noexcept;
    void hold(base::instant now, jitter& random) noexcept;

    algorithm limit_;
    lease_terms terms_;
    std::array<permits, lease_groups> groups_{};
    double demand_ = 0;             // exponentially weighted, as of seen_at_
    base::instant seen_at_;         // the last request
    base::instant hold_until_{};    // no call for permits before
    base::instant reset_at_{};      // of the counter, by the last answer
    base::micros round_trip_{0};    // smoothed
    std::int64_t remaining_ = 0;    // at the store, by the last answer
    std::int64_t shortfall_ = 1;    // permits that the last request which found too few was short of
    std::int64_t used_up_from_ = 0; // requests short of so many are refused without asking; 0: none
    std::int64_t open_ = 0;         // spent by requests that may yet be refused by others
    std::int64_t fresh_ = 0;        // spent since fresh_from_
    std::int64_t fresh_before_ = 0; // and in the two round trips before
    base::instant fresh_from_{};
    bool under_way_ = false;
};

} // namespace penstock::limiter
