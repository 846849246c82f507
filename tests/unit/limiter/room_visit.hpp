// One request in a waiting room, on the test's thread, and the limit that it waits for.
#pragma once

#include "limiter/waiting_room.hpp"
#include "tests/unit/limiter/claims.hpp"

#include <memory>

namespace penstock::limiter::tests {

using entrance = waiting_room::entrance;

inline policy limit_with_queue(std::int64_t waiting, queue_order order = queue_order::oldest_first)
{
    auto made = policy_of("database", concurrency{1});
    made.queue = {.limit = waiting, .order = order, .timeout = seconds(2)};
    return made;
}

class guest final : public waiter {
public:
    void call(reason why) noexcept override { (why == reason::turn ? calls : pushes) += 1; }
    int calls = 0;
    int pushes = 0;
};

// One request in the room, on this thread.
struct visit {
    visit(waiting_room& place, claim const& what) : room(place), asked(what)
    {
        who.number = room.arrive();
        who.releases_seen = room.releases();
        who.who = self;
    }
    entrance enter() { return room.enter(asked, who, {}); }
    entrance enter_behind() { return room.enter_behind(asked, who); }
    void leave() { room.leave(asked, who); }
    [[nodiscard]] bool has_ahead() const { return room.find_ahead({&asked, 1}, who.number).has_value(); }

    waiting_room& room;
    claim asked;
    std::shared_ptr<guest> self = std::make_shared<guest>();
    visitor who;
};

} // namespace penstock::limiter::tests
