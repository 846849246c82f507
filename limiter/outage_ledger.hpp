// Which counters of the fleet were counted in this process instead, and how many permits each has charged that the fleet's store
// does not know of. Knows keys and numbers, not policies, stores or levels. Bounded. Thread safe: one mutex a stripe, over which
// an owner may have a counter begun. Owned by stand_in.
#pragma once

#include "limiter/claim.hpp"
#include "limiter/outage_share.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace penstock::limiter {

// Permits of one counter to be charged. Outlives the snapshot by which they were admitted.
struct outage_debt {
    std::string key;
    std::uint8_t identity_end = 0;                 // of the key, as in claim
    std::uint32_t packed_id = 0;                   // as in policy
    limiter::algorithm whole;                      // what the fleet as a whole is held to
    std::shared_ptr<limiter::calendar const> days; // that `whole` counts by, if it does: the ones near the last charge
    std::int64_t permits = 0;
    std::optional<last_answer> counted; // how this gateway's share stood after the last charge; none: not charged yet
};

// The claim that a debt comes down to, for as long as `debt` and `by` live.
claim claim_of(outage_debt const& debt, policy const& by) noexcept;

class outage_ledger {
public:
    // Keeps at most about `most` counters.
    explicit outage_ledger(std::size_t most);

    // Whether any counter is in the ledger: one plain load.
    [[nodiscard]] bool empty() const noexcept { return size_.load(std::memory_order_relaxed) == 0; }
    [[nodiscard]] std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }

    // A claim is about to be counted here. `begin` is called, before anybody else gets to this counter, if it was not in the ledger.
    // If the ledger has no room for it, it is not called.
    struct entered {
        bool has_begun = false;
        std::optional<last_answer> counted; // of one that was in the ledger
    };
    entered enter(claim const& asked, std::uint64_t tag, base::instant now, std::function<void()> const& begin);
    // It was charged the claim's cost, and stands so now. Adds it if there is room; false if not.
    bool charge(claim const& asked, std::uint64_t tag, last_answer const& counted, base::instant now);
    // So many were given back.
    void forgive(claim const& asked, std::uint64_t tag, std::int64_t permits) noexcept;

    // What is owed for one counter, or for some of those that `wanted` says yes to. Each stays in the ledger, and is not taken
    // again, until settle() says how many of its permits are owed still.
    [[nodiscard]] std::optional<outage_debt> take(claim const& asked, std::uint64_t tag);
    [[nodiscard]] std::vector<outage_debt> take_some(std::size_t most, std::function<bool(claim const&)> const& wanted,
                                                     base::instant now);
    // False if it has been dropped meanwhile.
    bool settle(outage_debt const& taken, std::uint64_t tag, std::int64_t owed);
    // The store refuses to hear of it. All of it is owed still, but it is not taken again before answered().
    bool refuse(outage_debt const& taken, std::uint64_t tag);
    // Whether anything was refused: one plain load.
    [[nodiscard]] bool has_refused() const noexcept { return refused_.load(std::memory_order_relaxed) > 0; }
    // The store has answered what a caller asked of this counter.
    void answered(std::string_view key, std::uint64_t tag) noexcept;

    // Forgets counters by their keys. Returns how many permits were owed for them.
    std::int64_t drop(std::function<bool(std::string_view)> const& unwanted);

private:
    static constexpr std::size_t stripe_count = 16;

    struct text_hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
    };
    struct entry {
        outage_debt debt;              // its key is the map's
        base::instant matters_until{}; // from then on every charge has refilled, or its window is over
        bool taken = false;
        bool is_refused = false;
    };
    using entries = std::unordered_map<std::string, entry, text_hash, std::equal_to<>>;
    struct alignas(64) stripe {
        std::mutex mutex;
        entries debts;
        std::string next; // that take_some() looks at; empty, or gone: the first
    };

    [[nodiscard]] stripe& stripe_of(std::uint64_t tag) noexcept { return stripes_[tag % stripe_count]; }
    entry* find_or_add(stripe& in, claim const& asked, base::instant now, bool& added);
    static outage_debt hand_out(entries::value_type& from);
    void take_from(stripe& in, std::size_t most, std::function<bool(claim const&)> const& wanted, base::instant now,
                   std::vector<outage_debt>& to);
    entries::iterator erase(stripe& in, entries::iterator which);
    static void note_numbers(entry& of, algorithm const& numbers, base::instant now);
    bool make_room(stripe& in, base::instant now);

    std::array<stripe, stripe_count> stripes_;
    std::size_t most_in_stripe_;
    std::atomic<std::size_t> size_{0};
    std::atomic<std::size_t> refused_{0};     // of them
    std::atomic<std::size_t> next_stripe_{0}; // that take_some() looks at
};

} // namespace penstock::limiter
