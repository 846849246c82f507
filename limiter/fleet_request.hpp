// One request on its way through fleet_front: what it asked, which call it goes with, and who goes with it. The memory is
// that of the coroutine which waits for it (redis::suspended). Worker's thread.
#pragma once

#include "limiter/lease_front.hpp"
#include "limiter/redis/pipeline.hpp"
#include "limiter/shard_tour.hpp"

#include <boost/intrusive/slist.hpp>
#include <boost/intrusive/unordered_set_hook.hpp>

#include <cstdint>
#include <memory>
#include <span>

namespace penstock::limiter {

class fleet_front;

class fleet_request : public redis::waiter,
                      public boost::intrusive::unordered_set_base_hook<>,
                      public boost::intrusive::slist_base_hook<> {
public:
    using line = boost::intrusive::slist<fleet_request, boost::intrusive::cache_last<true>>;
    using leads = boost::intrusive::unordered_set_base_hook<>; // linked while others may wait behind this request's call

    fleet_request(base::result<verdict>& answer, fleet_front& front, std::span<claim const> asks, base::instant until,
                  std::unique_ptr<leased_part> on_lease, std::unique_ptr<shard_tour> shards)
        : waiter(answer), asked(asks), deadline(until), leased(std::move(on_lease)), tour(std::move(shards)), front_(front)
    {}

    // The store has answered.
    void wake(redis::resumption when) override;
    // Hands the answer to the coroutine, and is no more.
    virtual void resume(redis::resumption when) = 0;

    // What the present call asks for.
    [[nodiscard]] std::span<claim const> asks_now() const noexcept
    {
        if (tour) return tour->claims();
        return leased ? std::span<claim const>(leased->rest) : asked;
    }

    std::span<claim const> const asked;
    base::instant const deadline;
    base::instant sent_at{};
    std::uint64_t fingerprint = 0;  // of the only claim of a request that may share its call
    line alike;                     // go with this request's call
    line behind;                    // wait for the call after it
    std::unique_ptr<claim> for_all; // the claim of a call that others go with
    std::unique_ptr<leased_part> leased;
    std::unique_ptr<shard_tour> tour; // once some shard has refused

protected:
    ~fleet_request() = default;

private:
    fleet_front& front_;
};

} // namespace penstock::limiter
