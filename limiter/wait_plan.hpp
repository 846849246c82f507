// Whether a refused request may wait, for which of its limits and until when; and what it is told when it has waited in vain.
// Pure. Called by gateway/queueing.
#pragma once

#include "limiter/admit.hpp"
#include "limiter/claim.hpp"
#include "limiter/waiting_room.hpp"

#include <optional>
#include <span>

namespace penstock::limiter {

// When it came, and what time it is.
struct wait_times {
    base::instant arrived{};
    base::instant now{};
};

struct wait_plan {
    std::size_t place = 0;     // the claim in whose queue it waits
    base::instant ask_again{}; // if it is next by then; instant::max(): only when it is called
    base::instant deadline{};
};

// A permit that is given back by another gateway is not announced: who is next looks as often as this.
inline constexpr base::micros fleet_retry{100'000};

// For a request that the stores have just answered. Nothing if it is not refused, if a limit without a queue refused it, or if
// some limit is known to refuse it until its deadline. It waits for the limit with the longest wait.
std::optional<wait_plan> plan_wait(std::span<claim const> asked, admission_ruling const& gate, wait_times const& when) noexcept;

// For a request that has not asked, because somebody is ahead in the queue of the claim at `place`.
wait_plan plan_wait_behind(claim const& ahead, std::size_t place, base::instant arrived) noexcept;

// The refusal by the claim at `place`, as its queue remembers it, with its times as they are `now`.
admission_ruling refuse_waiter(std::span<claim const> asked, std::size_t place, last_refusal const& told,
                               base::instant now) noexcept;

} // namespace penstock::limiter
