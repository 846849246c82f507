// Counts in this process what the fleet's store cannot be asked about (`on_store_failure: local`): holds every gateway to its share
// of each limit, begins where the store's last answer left off, and keeps what was charged meanwhile until the store is told.
// One for the whole process, its counters in memory_store. Thread safe. Called by acquire on the way of a request, by
// fleet_front with the store's answers, by handover when the store can be asked again.
#pragma once

#include "limiter/admit.hpp"
#include "limiter/memory_store.hpp"
#include "limiter/outage_ledger.hpp"
#include "limiter/recent_answers.hpp"

#include <atomic>

namespace penstock::limiter {

class stand_in {
public:
    static constexpr std::size_t usual_bound = 65'536; // counters in the ledger, some 200 bytes each

    struct counts {
        std::uint64_t gateways = 0;     // that this process takes to be alive
        std::uint64_t owed = 0;         // counters with charges that the store does not know of
        std::uint64_t handed_over = 0;  // permits that the store has charged for it
        std::uint64_t not_recorded = 0; // permits charged here that it never will charge: too many counters, or another prefix
    };

    // The counters live in `memory`, which outlives this.
    explicit stand_in(memory_store& memory, std::size_t most_counters = usual_bound);

    void set_part(fleet_part part) noexcept;
    [[nodiscard]] fleet_part part() const noexcept;

    // ---- while the store does not answer

    // Charges every claim or none, each held to this gateway's share. Claims of fleet limits only.
    verdict acquire(std::span<claim const> asked, base::instant now);
    void give_back(claim const& what, charge const& taken, base::instant now) noexcept;

    // ---- while it answers

    // What the store said of a counter.
    void note(partition::partition_key const& key, algorithm const& limit, last_answer const& said) noexcept;
    void note(std::span<claim const> asked, verdict const& said, base::instant at) noexcept;

    // A concurrency permit that the store has granted is held by a request here, until release(): it counts against the share.
    void hold(claim const& what, base::instant now) noexcept;
    void release(claim const& what, base::instant now) noexcept;

    // ---- when it can be asked again

    // Whether anything may have to be handed over: one plain load.
    [[nodiscard]] bool owes() const noexcept { return !ledger_.empty(); }
    // What the store is to be told of one counter, or of some about which it `can` be asked. Each is followed by one of the two.
    [[nodiscard]] std::optional<outage_debt> take(claim const& asked, base::instant now);
    [[nodiscard]] std::vector<outage_debt> take_some(std::size_t most, std::function<bool(claim const&)> const& can,
                                                     base::instant now);
    // It granted so many of them: the others no longer fit.
    void handed_over(outage_debt const& debt, std::int64_t granted);
    void not_handed_over(outage_debt const& debt);
    void refused_to_take(outage_debt const& debt); // it would again, until it answers what a caller asks of that counter
    // Keys begin otherwise from now on, and whoever is asked about them need not have a right to the former: nobody is told of those.
    void keep_only(std::string_view prefix);

    [[nodiscard]] counts count() const noexcept;

private:
    [[nodiscard]] std::uint64_t tag_of(std::string_view key) const noexcept;
    void enter(claim const& mine, claim const& asked, base::instant now);
    void restore(claim const& mine, std::optional<last_answer> const& counted, base::instant now);
    void record(claim const& asked, decision const& said, base::instant now);
    [[nodiscard]] std::int64_t missing(outage_debt const& of, base::instant now);
    bool is_worth_telling(outage_debt& debt, base::instant now);
    void lose(std::int64_t permits) noexcept;

    memory_store& memory_;
    base::hash_key secret_; // random: nobody can choose keys that take each other's place
    recent_answers answers_;
    outage_ledger ledger_;
    std::atomic<std::uint64_t> part_{std::uint64_t{1}
                                     << 32}; // gateways, place: in one word, so that nobody sees half of a change
    std::atomic<std::uint64_t> handed_over_{0};
    std::atomic<std::uint64_t> not_recorded_{0};
};

} // namespace penstock::limiter
