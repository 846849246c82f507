#include "limiter/wait_plan.hpp"

#include <algorithm>

namespace penstock::limiter {
namespace {

bool is_concurrency(ruling const& one) noexcept { return std::holds_alternative<concurrency>(*one.numbers); }

base::instant deadline_of(policy const& limit, base::instant arrived) noexcept { return arrived + limit.queue.timeout; }

// Whether a limit that refused might still admit the request before its deadline.
bool is_worth_waiting(ruling const& refused, wait_times const& when) noexcept
{
    auto const& limit = *refused.policy;
    if (limit.queue.limit == 0 || refused.decision.retry_after == never) return false;
    // When a permit is given back, nobody knows.
    auto const at_least = is_concurrency(refused) ? base::micros{0} : refused.decision.retry_after;
    auto const left = deadline_of(limit, when.arrived) - when.now;
    return at_least < left;
}

base::instant next_look_at(ruling const& refused, base::instant now) noexcept
{
    if (!is_concurrency(refused)) return now + refused.decision.retry_after;
    return refused.policy->scope == scope::fleet ? now + fleet_retry : base::instant::max();
}

} // namespace

std::optional<wait_plan> plan_wait(std::span<claim const> asked, admission_ruling const& gate, wait_times const& when) noexcept
{
    if (gate.verdict != admission_ruling::kind::refused) return std::nullopt;
    std::optional<std::size_t> longest;
    for (std::size_t i = 0; i < asked.size(); ++i) {
        auto const& one = gate.rulings[i];
        if (one.result != outcome::refused) continue;
        if (!is_worth_waiting(one, when)) return std::nullopt;
        if (!longest || one.decision.retry_after > gate.rulings[*longest].decision.retry_after) longest = i;
    }
    auto const& chosen = gate.rulings[*longest];
    return wait_plan{
        .place = *longest, .ask_again = next_look_at(chosen, when.now), .deadline = deadline_of(*chosen.policy, when.arrived)};
}

wait_plan plan_wait_behind(claim const& ahead, std::size_t place, base::instant arrived) noexcept
{
    return {.place = place, .ask_again = base::instant::max(), .deadline = deadline_of(*ahead.policy, arrived)};
}

admission_ruling refuse_waiter(std::span<claim const> asked, std::size_t place, last_refusal const& told,
                               base::instant now) noexcept
{
    auto decision = told.decision;
    auto const passed = now - told.heard;
    auto const less = [passed](base::micros wait) { return wait == never ? never : std::max(wait - passed, base::micros{0}); };
    if (!std::holds_alternative<concurrency>(asked[place].algorithm())) decision.retry_after = less(decision.retry_after);
    decision.reset_after = less(decision.reset_after);
    boost::container::static_vector<answer, max_claims> answers(
        asked.size(), {.by = answerer::nobody, .said = nullptr, .at = {}, .asked = false});
    answers[place] = {.by = told.by, .said = &decision, .at = told.at + passed};
    return admit(asked, answers);
}

} // namespace penstock::limiter
