#include "limiter/redis/connection_fsm.hpp"

#include <algorithm>

namespace penstock::limiter::redis {

using verb = connection_fsm::action::verb;

connection_fsm::action connection_fsm::resume(event what, base::instant now) noexcept
{
    if (state_ == state::stopped) return {};
    if (what == event::stop) {
        state_ = state::stopped;
        return {verb::close};
    }
    switch (state_) {
    case state::idle:
        if (what == event::start) return try_anew(now);
        break;
    case state::locating:
        if (what == event::broken || what == event::timer) return pause(now);
        if (what == event::located) return connect(now);
        break;
    case state::connecting:
        if (what == event::broken || what == event::timer) return pause(now);
        if (what == event::connected) {
            state_ = state::greeting;
            return {verb::greet};
        }
        break;
    case state::greeting:
        if (what == event::unready) return pause(now, longest_pause_while_unready);
        if (what == event::broken || what == event::timer) return pause(now);
        if (what == event::welcome) {
            state_ = state::ready;
            ready_since_ = now;
            return {verb::serve};
        }
        break;
    case state::ready:
        if (what == event::broken || what == event::unready) {
            if (now - ready_since_ >= proven_after) most_ = first_pause;
            return pause(now, what == event::unready ? longest_pause_while_unready : longest_pause);
        }
        break;
    case state::pausing:
        if (what == event::timer) return try_anew(now);
        break;
    case state::stopped: break;
    }
    return {}; // an event of a socket that has been dropped since
}

std::optional<base::instant> connection_fsm::adopt(time_limits limits) noexcept
{
    limits_ = limits;
    if (state_ == state::locating) return tries_since_ + limits.locate;
    if (state_ == state::connecting || state_ == state::greeting) return tries_since_ + limits.connect;
    return std::nullopt;
}

connection_fsm::action connection_fsm::try_anew(base::instant now) noexcept
{
    if (limits_.locate == base::micros{0}) return connect(now);
    state_ = state::locating;
    tries_since_ = now;
    return {verb::locate, now + limits_.locate};
}

connection_fsm::action connection_fsm::connect(base::instant now) noexcept
{
    state_ = state::connecting;
    tries_since_ = now;
    return {verb::connect, now + limits_.connect};
}

connection_fsm::action connection_fsm::pause(base::instant now, base::micros longest) noexcept
{
    state_ = state::pausing;
    if (limits_.locate != base::micros{0}) longest = std::min(longest, longest_pause_of_search);
    auto const length = jitter_.between(shortest_pause, std::min(most_, longest));
    most_ = std::min(2 * most_, longest);
    return {verb::pause, now + length};
}

} // namespace penstock::limiter::redis
