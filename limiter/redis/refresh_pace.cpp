#include "limiter/redis/refresh_pace.hpp"

#include <algorithm>

namespace penstock::limiter::redis {

refresh_pace::action refresh_pace::resume(event what, base::instant now) noexcept
{
    switch (what) {
    case event::wanted:
        if (asking_)
            wanted_meanwhile_ = true; // what is being told may be older than the reason
        else
            next_ = std::min(next_, std::max(earliest_, now));
        break;
    case event::answered:
        asking_ = false;
        pause_ = first_pause;
        earliest_ = now + jitter_.between(shortest_gap, longest_gap);
        next_ = wanted_meanwhile_ ? earliest_ : now + jitter_.between(usual_gap / 2, usual_gap);
        break;
    case event::failed:
        asking_ = false;
        earliest_ = next_ = now + jitter_.between(pause_ / 2, pause_);
        pause_ = std::min(2 * pause_, longest_pause);
        break;
    case event::timer: break;
    }
    if (!asking_ && next_ <= now) return ask();
    return {false, next_};
}

refresh_pace::action refresh_pace::ask() noexcept
{
    asking_ = true;
    wanted_meanwhile_ = false;
    next_ = base::instant::max();
    return {true, next_};
}

} // namespace penstock::limiter::redis
