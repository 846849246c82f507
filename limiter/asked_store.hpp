// A store that can be asked without a coroutine: by whoever waits in its own way. What fleet_front stands before.
#pragma once

#include "limiter/lease.hpp"
#include "limiter/redis/pipeline.hpp"
#include "limiter/store.hpp"

#include <functional>
#include <span>

namespace penstock::limiter {

class asked_store : public store {
public:
    // As acquire(), but it is `who` that is woken with the answer, never from within this call. The claims and `who` live
    // until then.
    virtual void ask(std::span<claim const> asked, base::instant deadline, redis::waiter& who) = 0;

    // Takes permits in advance, and reports; in the background, however long it takes. `done` is told the answer or its loss
    // once, never from within this call, and not at all once the store has been stopped.
    using lease_listener = std::function<void(base::result<lease_answer> const& got)>;
    virtual void lease(lease_request const& asked, lease_listener done) = 0;
};

} // namespace penstock::limiter
