// A store that can be asked without a coroutine: by whoever waits in its own way. What fleet_front stands before.
#pragma once

#include "limiter/redis/pipeline.hpp"
#include "limiter/store.hpp"

#include <span>

namespace penstock::limiter {

class asked_store : public store {
public:
    // As acquire(), but it is `who` that is woken with the answer, never from within this call. The claims and `who` live
    // until then.
    virtual void ask(std::span<claim const> asked, base::instant deadline, redis::waiter& who) = 0;
};

} // namespace penstock::limiter
