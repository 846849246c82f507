// When a worker that finds Redis well may end the pauses of the others: at once after a calm, but no more often than each of them
// would try by itself at the end of its longest pause. A Redis that drops each connection as soon as it is made would have all of
// them try without a pause otherwise, each woken by the others. Called by app. Pure.
#pragma once

#include "base/clock.hpp"

#include <algorithm>
#include <optional>

namespace penstock::gateway {

class wake_pace {
public:
    // A worker asks for it. The time when it is due, or nothing: it is due already.
    std::optional<base::instant> asked(base::instant now) noexcept
    {
        if (is_due_) return std::nullopt;
        is_due_ = true;
        return std::max(now, next_);
    }
    void woken(base::instant now) noexcept
    {
        is_due_ = false;
        next_ = now + apart;
    }

    static constexpr base::micros apart{5'000'000};

private:
    bool is_due_ = false;
    base::instant next_ = base::instant::min();
};

} // namespace penstock::gateway
