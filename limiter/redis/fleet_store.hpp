// The store that the fleet shares, however many Redis nodes it is made of: redis_store for one, cluster_store for a cluster.
// What the worker knows of it.
#pragma once

#include "limiter/asked_store.hpp"
#include "limiter/redis/background_call.hpp"
#include "limiter/redis/node_state.hpp"
#include "limiter/redis/redis_settings.hpp"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <memory>
#include <optional>

namespace penstock::limiter {

class fleet_store : public asked_store {
public:
    using counts = redis::node_counts;
    // Called on the worker's thread.
    using change = redis::change;
    using state_listener = redis::state_listener;

    // Not a coroutine of its own: one frame less on the way of each request.
    boost::asio::awaitable<base::result<verdict>> acquire(std::span<claim const> asked, base::instant deadline) final;

    // Permits in advance are a background call.
    void lease(lease_request const& asked, lease_listener done) final;

    // Also while a breaker is open: what takes little and gives back must not wait for the checks. A failure is counted, but
    // the breaker judges by checks alone: the same outage twice would open it too soon, and a call that works says nothing
    // of the checks that do not.
    void call(redis::background_call what) override = 0;

    // From now on. Connections stay, and so does what the breakers have seen; what is under way keeps its deadline.
    virtual void adopt(redis_terms const& next) = 0;

    // Another worker has found Redis well: pauses before the next try or probe end, so that a process returns as one. Each of its
    // workers that is late would have the process' share of every limit beside the whole that Redis gives the others.
    virtual void try_at_once() = 0;

    // Closes the connections and answers every waiter with not_connected. No acquire() may follow; give_back() may, and does
    // nothing.
    virtual void stop() = 0;

    [[nodiscard]] virtual counts count() const = 0;
    // Nothing unless it is a cluster.
    [[nodiscard]] virtual std::optional<redis::cluster_counts> count_cluster() const { return std::nullopt; }

protected:
    explicit fleet_store(boost::asio::io_context& worker) noexcept : worker_(worker) {}
    [[nodiscard]] boost::asio::io_context& worker() noexcept { return worker_; }

private:
    boost::asio::io_context& worker_;
};

// Starts connecting at once; starting without Redis works. `seed` spreads back-off jitter between workers.
std::unique_ptr<fleet_store> make_fleet_store(boost::asio::io_context& worker, redis_settings const& wanted, std::uint64_t seed,
                                              fleet_store::state_listener listener);

} // namespace penstock::limiter
