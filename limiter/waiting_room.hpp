// Who waits for which limit, and whose turn it is: one queue for each partition key, of the whole process. Knows requests by
// their number of arrival; asks no store, holds no timer: whoever is called looks again for itself. Bounded for each key, in
// permits, and over all keys. Thread safe: a lock for each stripe of keys, held for a few steps and never while calling.
// Called by gateway/queueing, and by limiter/acquire when permits are given back.
#pragma once

#include "base/clock.hpp"
#include "base/stable_hash.hpp"
#include "limiter/admit.hpp"
#include "limiter/claim.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

namespace penstock::limiter {

// Whoever waits, as the room reaches it.
class waiter {
public:
    enum class reason : std::uint8_t {
        turn,       // it may be: look again
        pushed_out, // its place went to a younger one
    };
    // From any thread, without a lock: takes note, and leaves what follows to the waiter's own thread.
    virtual void call(reason why) noexcept = 0;

protected:
    waiter() = default;
    ~waiter() = default;
};

// What the limit of a queue said when it last refused somebody there.
struct last_refusal {
    limiter::decision decision;
    answerer by = answerer::nobody;
    base::instant at{};    // the store's clock
    base::instant heard{}; // ours
};

// One request from its arrival to its leaving; stays with the request.
struct visitor {
    std::uint64_t number = 0;        // from arrive()
    std::uint64_t releases_seen = 0; // from releases(), before its limits were last asked
    std::shared_ptr<waiter> who;     // set before entering
    last_refusal refusal;            // written by entering and leaving
};

class waiting_room {
public:
    explicit waiting_room(std::size_t most_waiters);
    ~waiting_room();
    waiting_room(waiting_room const&) = delete;
    waiting_room& operator=(waiting_room const&) = delete;

    // The next number: the lower one has come first.
    std::uint64_t arrive() noexcept { return arrivals_.fetch_add(1, std::memory_order_relaxed); }

    // The first of these claims for which somebody waits whose turn comes before that of `number`.
    [[nodiscard]] std::optional<std::size_t> find_ahead(std::span<claim const> asked, std::uint64_t number) const;

    enum class entrance : std::uint8_t {
        entered,
        full,         // of this key or of all
        nobody_ahead, // not entered: it is the visitor's turn
    };
    // Without having asked, because somebody is ahead; who waits here already, stays. `refusal` is written also when full.
    entrance enter_behind(claim const& where, visitor& who);
    // Having been refused by this limit, as `told`. Who waits here already, stays. Where a permit was given back since
    // `releases_seen` the visitor is called at once.
    entrance enter(claim const& where, visitor& who, last_refusal const& told);
    // Whether it was admitted, gave up or was pushed out; the next one is called.
    void leave(claim const& where, visitor& who);

    // A permit of this key is free again in this process.
    void released(partition::partition_key const& key);
    [[nodiscard]] std::uint64_t releases() const noexcept { return releases_.load(); }

    [[nodiscard]] std::size_t waiting() const noexcept { return waiting_.load(std::memory_order_relaxed); }

private:
    struct queue;
    struct stripe;
    struct place;
    [[nodiscard]] place place_of(partition::partition_key const& key) const noexcept;
    bool take_place() noexcept;

    base::hash_key hash_key_; // random for each process: nobody can choose keys that meet in one stripe
    std::size_t most_waiters_;
    std::atomic<std::uint64_t> arrivals_{1};
    std::atomic<std::uint64_t> releases_{0};
    std::atomic<std::size_t> waiting_{0};
    std::unique_ptr<stripe[]> stripes_;
};

} // namespace penstock::limiter
