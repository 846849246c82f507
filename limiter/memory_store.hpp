// Counters of this process: fixed stripes of mutex + open-addressing tables, shared by all workers. Bounded: at most
// `max_keys` counters, where one with a long state counts as many as take the same memory; an insertion sweeps a few expired
// ones, and if a stripe is full the counter closest to untouched is dropped and counted (never silently). 24 bytes a counter
// with a short state. Thread safe; holds a stripe's lock for arithmetic only.
// docs/adr/0003 says why stripes.
#pragma once

#include "base/clock.hpp"
#include "base/stable_hash.hpp"
#include "limiter/claim.hpp"

#include <cstdint>
#include <memory>
#include <span>

namespace penstock::limiter {

class memory_store {
public:
    struct settings {
        std::size_t max_keys = 1'000'000;
        bool clock_may_step = false; // take an earlier time than the last for a clock set back: for tests
    };
    struct counts {
        std::uint64_t keys = 0;      // counters held now
        std::uint64_t evictions = 0; // counters dropped before their time
        std::uint64_t bytes = 0;     // memory of the tables and of long states
    };

    // Throws when there is no memory or no randomness to start with.
    explicit memory_store(settings const& wanted);
    ~memory_store();
    memory_store(memory_store const&) = delete;
    memory_store& operator=(memory_store const&) = delete;

    // Charges every claim or none (claims in shadow neither refuse nor are needed). Two claims must not share a key. An instant
    // that others have passed already counts as theirs: the verdict says by which time it was decided.
    verdict acquire(std::span<claim const> asked, base::instant now) noexcept;

    // Gives back what acquire() charged for these claims, because another store refused the request.
    // `given` is the verdict of that acquire(): only what it allowed is given back.
    void refund(std::span<claim const> asked, verdict const& given, base::instant now) noexcept;

    // Gives back one claim's charge.
    void give_back(claim const& what, charge const& taken, base::instant now) noexcept;

    // Whether this claim's counter is there; one that is not is untouched, or was dropped before its time.
    [[nodiscard]] bool keeps(claim const& what) noexcept;
    // Makes the counter of this claim what another store knows of it. `kept`: unless it is there.
    enum class existing : std::uint8_t { kept, replaced };
    void begin(claim const& what, any_state from, existing counter, base::instant now) noexcept;

    // A concurrency permit that another store has granted: it counts here too, whatever is held already, until give_back().
    void hold(claim const& what, base::instant now) noexcept;

    // Drops some expired counters; call it now and then (a timer) so that idle keys vanish. Returns how many went.
    std::size_t sweep(base::instant now) noexcept;

    [[nodiscard]] counts count() const noexcept;

private:
    struct stripe;
    struct place { // of one claim's counter
        std::uint64_t tag = 0;
        std::size_t stripe = 0;
        bool keeps_long = false; // which of the two may be found
        counter_state* found = nullptr;
        long_state* found_long = nullptr;
    };
    class locked_stripes;
    using places = boost::container::static_vector<place, max_claims>;

    [[nodiscard]] places find_places(std::span<claim const> asked) const noexcept;
    void find_state(place& at) noexcept;
    static advanced look_at(claim const& asked, place const& at, base::instant now) noexcept;
    void keep_long(claim const& asked, place const& at, advanced const& look, verdict const& given) noexcept;
    void insert(claim const& asked, place const& at, advanced const& look, verdict const& given) noexcept;
    void take_back(claim const& what, place& at, charge const& taken, base::instant now) noexcept;

    base::hash_key hash_key_; // random for each process: nobody can choose keys that meet in one slot
    std::size_t stripe_count_;
    bool clock_may_step_;
    std::unique_ptr<stripe[]> stripes_;
};

} // namespace penstock::limiter
