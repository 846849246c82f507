// The leases' half of fleet_front: admits requests of leased limits on permits at hand, takes those back when another limit
// refuses, and sends the calls of the background that take, report and give back permits. lease_account decides; this knows
// what belongs to one request, and talks to the store. One worker's thread.
#pragma once

#include "limiter/asked_store.hpp"
#include "limiter/fleet_counts.hpp"
#include "limiter/lease_account.hpp"
#include "limiter/stand_in.hpp"

#include <boost/container/static_vector.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace penstock::limiter {

// What one claim was told without a call. A refusal: the others of its request were not asked.
struct known_answer {
    std::size_t place = 0;
    decision said;
};

using claim_places = boost::container::static_vector<std::size_t, max_claims>;

// Of a request that has some of its permits at hand: who still has to be asked, and what those at hand say.
struct leased_part {
    limiter::claims rest;
    claim_places places; // of the rest, among all
    verdict at_hand;     // of all; says nothing of the rest
};

class lease_front {
public:
    // Follows at most about `max_keys` keys. `behind` and `counts` outlive the front.
    lease_front(asked_store& behind, std::size_t max_keys, base::hash_key secret, fleet_counts& counts);

    // Is told what the store says of counters. Outlives the front and its calls.
    void relieve(stand_in& local) noexcept { local_ = &local; }

    [[nodiscard]] static bool may_be_leased(claim const& asked) noexcept;

    // What permits at hand make of a request: refused, or admitted by its only claim (`known`); admitted, or in need of a call
    // for the rest (`part`); or nothing.
    struct spending {
        std::optional<known_answer> known;
        std::unique_ptr<leased_part> part;
    };
    [[nodiscard]] spending spend(std::span<claim const> asked, base::instant now);

    // Whether spend() would admit this claim alone.
    [[nodiscard]] bool has_at_hand(claim const& asked, base::instant now) noexcept;

    // For a `part` with a rest, one of the two, once. The store has answered for the rest, or could not be asked: says it for all.
    base::result<verdict> complete(std::span<claim const> asked, leased_part const& part, base::result<verdict> const& rest,
                                   base::instant now);
    // One of the rest refuses: what was at hand goes back.
    void withdraw(std::span<claim const> asked, leased_part const& part, base::instant now);

    // A request that was admitted on permits at hand does not go on after all.
    void give_back(claim const& what, charge const& taken, base::instant now);

    // The store refused some of these claims when asked by the ordinary call.
    void note_refusals(std::span<claim const> asked, verdict const& said, base::instant now) noexcept;

    // To be called often: gives back permits that are not being spent.
    void tick(base::instant now);
    // The configuration has changed: permits taken by the numbers of before go back.
    void start_anew(base::instant now);
    // Permits taken in advance go back, those too that are still on their way here, and no more are taken.
    void close(base::instant now);
    // Whether the store has answered for all that was sent to it.
    [[nodiscard]] bool settled() const noexcept { return under_way_ == 0; }

    // Adds up, by limit, the permits at hand.
    void report_held(fleet_counts& to, base::instant now) const;

private:
    [[nodiscard]] spending decide(std::span<claim const> asked, base::instant now, claim_places& to_renew);
    [[nodiscard]] std::unique_ptr<leased_part> part_of(std::span<claim const> asked, std::span<known_answer const> at_hand,
                                                       base::instant now);
    void send(lease_request const& wanted);
    void count_admission(claim const& asked);

    asked_store& behind_;
    fleet_counts& counts_;
    lease_account account_;
    stand_in* local_ = nullptr;
    base::instant next_sweep_{};
    std::size_t under_way_ = 0; // calls
    bool closed_ = false;
};

} // namespace penstock::limiter
