// Where counters live: memory_store (this process; synchronous), and the fleet's, redis_store (one script call) or cluster_store.
// A store answers "allowed" or "refused"; its error channel means only "could not ask" (house rule A9).
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "limiter/claim.hpp"

#include <boost/asio/awaitable.hpp>

#include <span>

namespace penstock::limiter {

class store {
public:
    store() = default;
    store(store const&) = delete;
    store& operator=(store const&) = delete;
    virtual ~store() = default;

    // Charges every claim or none, in one step. `deadline`: the caller waits no longer than that; after it the answer is
    // errc::timed_out, whatever the store may still do. The claims must stay alive and unchanged until the answer.
    // Called on the owning worker's thread.
    virtual boost::asio::awaitable<base::result<verdict>> acquire(std::span<claim const> asked, base::instant deadline) = 0;

    // Takes back what acquire() charged for this claim: a concurrency permit whose holder is done, or any charge of a request
    // that does not go on after all. Waits for nothing; the claim may die when it returns. A store that cannot be reached
    // keeps the charge, except for permits: those lapse by themselves.
    virtual void give_back(claim const& what, charge const& taken) noexcept = 0;

    // A concurrency permit that was granted in this store's place, while it could not be asked, to a request that lives: it is
    // to count as held, as soon as the store can be told, until give_back().
    virtual void hold(claim const& what) = 0;
};

} // namespace penstock::limiter
