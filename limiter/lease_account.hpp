// The holder's side of leases: one worker's account of permits that it took in advance, for the keys of leased limits that are
// busy enough. Says whether a request may be admitted on a permit at hand, is to be refused because the fleet's permits are
// used up, or has to ask the store as if there were no leases; and which calls to make of the store in the background. Knows
// no I/O: limiter/fleet_front sends lease_requests and brings the answers. Pure; owned by one worker.
//
// Never over: a permit is spent at most once, only under the numbers in force, and only before it lapses, counted from when the
// call for it was sent. A call whose answer is lost leaves permits that nobody spends and a report that nobody repeats.
#pragma once

#include "base/stable_hash.hpp"
#include "limiter/claim.hpp"
#include "limiter/lease_holding.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::limiter {

class lease_account {
public:
    // Follows at most about `max_keys` keys, the busier ones; another key is simply asked for. Allocates as keys come.
    // `secret` keys the table's hash and spreads the moments at which holders ask again.
    lease_account(std::size_t max_keys, base::hash_key secret);

    // One request for a claim of a leased limit, at cost >= 1. A request that others refuse gives back what it spent:
    lease_ruling spend(claim const& asked, base::instant now);
    // False if it cannot be taken back any more: then it stays spent, as a permit does that lapses.
    bool unspend(claim const& asked, base::instant now) noexcept;
    // Whether spend() would find enough.
    [[nodiscard]] bool has_at_hand(claim const& asked, base::instant now) noexcept;
    // After a spend() whose request has yet to ask others: until decided(), which comes once and before an unspend(), the store
    // is not told that the permit was spent.
    void leave_open(claim const& asked) noexcept;
    void decided(claim const& asked) noexcept;
    // The store refused this claim when asked by the ordinary call.
    void refused_by_store(claim const& asked, decision const& said, base::instant now) noexcept;

    // After a ruling that says `renew`: the call to send at once. Whoever takes one brings its answer or its loss, once.
    lease_request renew(claim const& asked, base::instant now) noexcept;
    // `sent_at`: before the call was handed to the connection. An answer after its loss is welcome, if it comes only once.
    void answered(lease_request const& sent, base::instant sent_at, lease_answer const& got, base::instant now) noexcept;
    void lost(lease_request const& sent, base::instant now) noexcept;

    // To be called every `sweep_interval`: appends the calls that give back what is not being spent. Costs little while
    // nothing is held.
    static constexpr base::micros sweep_interval{50'000};
    void sweep(base::instant now, std::vector<lease_request>& to_send);
    // The configuration has changed: everything goes back under the numbers that it was taken by, now and not later, when the
    // store may be held to others; and all that was known is forgotten. What is on its way lapses.
    void start_anew(base::instant now, std::vector<lease_request>& to_send);
    // Before the worker ends: everything goes back, and nothing is spent any more.
    void close(base::instant now, std::vector<lease_request>& to_send);

    struct counts {
        std::uint64_t spent = 0;    // permits
        std::uint64_t granted = 0;  // by the store, in advance
        std::uint64_t returned = 0; // unspent
        std::uint64_t refused = 0;  // requests, without asking the store
        std::size_t keys = 0;       // followed now
    };
    [[nodiscard]] counts const& count() const noexcept { return counts_; }
    // Permits at hand, by the limit's name.
    [[nodiscard]] std::map<std::string, std::int64_t> held(base::instant now) const;

private:
    struct followed {
        partition::partition_key key;
        lease_holding holding;
        std::string limit; // its name
    };
    // A key can only be in the one of them that its hash names; full, the least busy of them makes room.
    using key_set = std::vector<followed>;
    static constexpr std::size_t set_size = 8;

    [[nodiscard]] key_set& set_of(std::string_view key) noexcept;
    [[nodiscard]] lease_holding* find(std::string_view key) noexcept;
    [[nodiscard]] lease_holding* find_or_add(claim const& asked, base::instant now);
    template <class Take>
    void collect(std::vector<lease_request>& to_send, Take take);

    std::vector<key_set> sets_;
    base::hash_key secret_;
    jitter jitter_;
    counts counts_;
    bool closed_ = false;
};

} // namespace penstock::limiter
