#include "limiter/admit.hpp"

#include <algorithm>
#include <cassert>

namespace penstock::limiter {
namespace {

// What a claim came to, seen alone.
outcome outcome_of(policy const& limit, answer const& given) noexcept
{
    auto const enforced = limit.enforce == enforcement::enforce;
    if (!given.said) {
        if (!given.asked) return outcome::skipped;
        auto const denies = enforced && limit.on_store_failure == failure_mode::deny;
        return denies ? outcome::unanswered_denied : outcome::unanswered_allowed;
    }
    if (given.said->allowed) return outcome::allowed;
    return enforced ? outcome::refused : outcome::shadow_refused;
}

// What would have been allowed is not charged where the request may not pass.
void uncharge(admission_ruling& gate) noexcept
{
    for (auto& each : gate.rulings) {
        if (each.result == outcome::allowed) each.result = outcome::skipped;
    }
}

} // namespace

admission_ruling admit(std::span<claim const> asked, std::span<answer const> answers) noexcept
{
    assert(asked.size() == answers.size());
    using kind = admission_ruling::kind;
    admission_ruling gate;
    for (std::size_t i = 0; i < asked.size(); ++i) {
        auto const& limit = *asked[i].policy;
        auto const result = outcome_of(limit, answers[i]);
        gate.rulings.push_back({.policy = &limit,
                                .numbers = &asked[i].algorithm(),
                                .result = result,
                                .by = answers[i].by,
                                .decision = answers[i].said ? *answers[i].said : limiter::decision{},
                                .at = answers[i].at});
        if (result == outcome::refused) {
            gate.verdict = kind::refused;
            gate.retry_after = std::max(gate.retry_after, answers[i].said->retry_after);
        }
        // A refusal is certain, a failing store is not: it is what the client is told.
        if (result == outcome::unanswered_denied && gate.verdict == kind::admitted) gate.verdict = kind::store_unavailable;
    }
    if (gate.verdict != kind::admitted) uncharge(gate);
    return gate;
}

admission_ruling join(admission_ruling const& granted, admission_ruling const& then) noexcept
{
    assert(granted.verdict == admission_ruling::kind::admitted);
    auto gate = granted;
    gate.verdict = then.verdict;
    gate.retry_after = then.retry_after;
    gate.rulings.insert(gate.rulings.end(), then.rulings.begin(), then.rulings.end());
    if (gate.verdict != admission_ruling::kind::admitted) uncharge(gate);
    return gate;
}

} // namespace penstock::limiter
