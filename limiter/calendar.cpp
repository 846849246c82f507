#include "limiter/calendar.hpp"

#include <algorithm>
#include <cassert>

namespace penstock::limiter {

calendar_moment moment_of(calendar const& in, base::instant now) noexcept
{
    auto const& starts = in.starts;
    assert(starts.size() >= 4);
    auto const next = std::upper_bound(starts.begin() + 2, starts.end() - 2, base::since_epoch_us(now));
    return {.before = next[-2], .start = next[-1], .end = next[0], .after = next[1]};
}

} // namespace penstock::limiter
