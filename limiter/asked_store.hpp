// A store that can be asked without a coroutine: by whoever waits in its own way. What fleet_front stands before.
#pragma once

#include "limiter/lease.hpp"
#include "limiter/redis/background_call.hpp"
#include "limiter/redis/pipeline.hpp"
#include "limiter/store.hpp"

#include <functional>
#include <span>

namespace penstock::limiter {

class asked_store : public store {
public:
    // Whether ask() about this would reach Redis now, as far as is known.
    [[nodiscard]] virtual bool can_ask(claim const& about) const noexcept = 0;
    // Whether ask() about this is answered at once, by an open breaker.
    [[nodiscard]] virtual bool breaker_is_open(claim const& about) const noexcept = 0;

    // As acquire(), but it is `who` that is woken with the answer, never from within this call. The claims and `who` live
    // until then.
    virtual void ask(std::span<claim const> asked, base::instant deadline, redis::waiter& who) = 0;

    // Takes permits in advance, and reports; in the background, however long it takes. `done` is told the answer or its loss
    // once, never from within this call, and not at all once the store has been stopped.
    using lease_listener = std::function<void(base::result<lease_answer> const& got)>;
    virtual void lease(lease_request const& asked, lease_listener done) = 0;

    // Asks in the background, whether checks can be asked or not, of whoever keeps `what.key`. `what.done` is called exactly
    // once, on the worker's thread and never from within this call; once the store has been stopped, not at all.
    virtual void call(redis::background_call what) = 0;
};

} // namespace penstock::limiter
