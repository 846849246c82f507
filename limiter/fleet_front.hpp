// Stands before the fleet's store and saves calls without changing an answer: remembers refusals that still stand, leads a
// request through the shards of its limits, and lets requests alike that wait on one key share the next call. Owned and used
// by one worker's thread; errors of the store pass through unchanged.
#pragma once

#include "base/stable_hash.hpp"
#include "limiter/asked_store.hpp"
#include "limiter/denial_memory.hpp"
#include "limiter/fleet_counts.hpp"
#include "limiter/fleet_request.hpp"
#include "limiter/handover.hpp"
#include "limiter/lease_front.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/intrusive/unordered_set.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

namespace penstock::limiter {

class fleet_front final : public store {
public:
    // `secret` is random: nobody can choose keys whose refusals are taken for one another. The others outlive the front.
    fleet_front(boost::asio::io_context& worker, asked_store& behind, base::hash_key secret, fleet_counts& counts);
    ~fleet_front() override;

    boost::asio::awaitable<base::result<verdict>> acquire(std::span<claim const> asked, base::instant deadline) override;
    void give_back(claim const& what, charge const& taken) noexcept override;
    void hold(claim const& what) override { behind_.hold(what); }

    // Whoever counts in the store's place is told what the store says, and what it has charged is handed over. Outlives the calls.
    void relieve(stand_in& local)
    {
        local_ = &local;
        handover_.emplace(behind_, local);
        leases_.relieve(local);
    }

    // The configuration has changed: what was refused may pass now, and permits of other numbers are not to be spent.
    void start_anew(base::instant now)
    {
        denials_.clear();
        leases_.start_anew(now);
    }

    // To be called often: gives back permits that are not being spent, tells the store what was charged in its place.
    void tick(base::instant now)
    {
        leases_.tick(now);
        if (handover_) handover_->tick(now);
    }
    // The worker is about to end, or to use another store: permits taken in advance go back, and no more are taken.
    void close_leases(base::instant now) { leases_.close(now); }
    // Whether the store knows of all permits taken and given back: it may be stopped without a loss.
    [[nodiscard]] bool leases_settled() const noexcept { return leases_.settled(); }
    // Adds up, by limit, the permits held in advance.
    void report_leases(fleet_counts& to, base::instant now) const { leases_.report_held(to, now); }

private:
    friend class fleet_request;

    static constexpr std::uint32_t most_alike = 1024;   // requests that go with one call
    static constexpr std::size_t most_waiting = 16'384; // for the call before theirs to end; others ask alone
    static constexpr std::size_t most_leases = 4096;    // keys, the busier ones
    static constexpr std::size_t flight_buckets = 1024;

    struct flight_hash {
        std::size_t operator()(fleet_request const& of) const noexcept { return of.fingerprint; }
    };
    struct flight_equal {
        bool operator()(fleet_request const& a, fleet_request const& b) const noexcept;
    };
    using flights =
        boost::intrusive::unordered_set<fleet_request, boost::intrusive::hash<flight_hash>,
                                        boost::intrusive::equal<flight_equal>, boost::intrusive::power_2_buckets<true>>;

    [[nodiscard]] static verdict verdict_of(std::size_t of, known_answer const& told, base::instant now);
    [[nodiscard]] static boost::asio::awaitable<base::result<verdict>> tell(std::size_t of, known_answer told,
                                                                            base::instant now);
    [[nodiscard]] static boost::asio::awaitable<base::result<verdict>> hand_over(std::unique_ptr<leased_part> all);
    [[nodiscard]] std::optional<known_answer> recall(std::span<claim const> asked, base::instant now) noexcept;
    [[nodiscard]] std::optional<known_answer> recall_all_shards(shard_tour& tour, known_answer first, base::instant now);
    void remember(std::span<claim const> asked, verdict const& said, base::instant sent_at) noexcept;

    void begin(fleet_request& who);
    void send(fleet_request& who);
    void answered(fleet_request& who, redis::resumption when);
    [[nodiscard]] bool spend_after_all(fleet_request& who);
    [[nodiscard]] bool try_next_shard(fleet_request& who);
    void land(fleet_request& leader, redis::resumption when);
    void hand_out(fleet_request& leader, fleet_request::line& left_over);
    void lift(fleet_request::line waiting, base::instant now);
    void let_go();

    boost::asio::io_context& worker_;
    asked_store& behind_;
    base::hash_key secret_;
    denial_memory denials_;
    lease_front leases_;
    std::array<flights::bucket_type, flight_buckets> buckets_;
    flights flights_;         // calls that others may wait behind
    std::size_t waiting_ = 0; // behind them
    fleet_counts& counts_;
    stand_in* local_ = nullptr;
    std::optional<handover> handover_;
};

} // namespace penstock::limiter
