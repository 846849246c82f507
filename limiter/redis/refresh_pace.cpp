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
        gap_while_incomplete_ = first_gap_while_incomplete;
        answered(usual_gap, now);
        break;
    case event::incomplete:
        answered(gap_while_incomplete_, now);
        gap_while_incomplete_ = std::min(2 * gap_while_incomplete_, usual_gap);
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

void refresh_pace::answered(base::micros gap, base::instant now) noexcept
{
    asking_ = false;
    pause_ = first_pause;
    earliest_ = now + jitter_.between(shortest_gap, longest_gap);
    next_ = wanted_meanwhile_ ? earliest_ : now + jitter_.between(gap / 2, gap);
}

refresh_pace::action refresh_pace::ask() noexcept
{
    asking_ = true;
    wanted_meanwhile_ = false;
    next_ = base::instant::max();
    return {true, next_};
}

} // namespace penstock::limiter::redis
