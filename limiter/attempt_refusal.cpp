#include "limiter/attempt_refusal.hpp"

#include <algorithm>

namespace penstock::limiter {
namespace {

bool is_met_in(std::span<term const> terms, policy const* limit) noexcept
{
    return std::ranges::any_of(
        terms, [limit](term const& one) { return std::ranges::find(one.first_of, limit) != one.first_of.end(); });
}

} // namespace

std::optional<admission_ruling> refusal_of_attempt(admission_ruling const& gate, std::span<term const> failed_attempt) noexcept
{
    using kind = admission_ruling::kind;
    admission_ruling told;
    for (auto const& each : gate.rulings) {
        if (!is_met_in(failed_attempt, each.policy)) continue;
        told.rulings.push_back(each);
        if (each.result == outcome::refused) {
            told.verdict = kind::refused;
            told.retry_after = std::max(told.retry_after, each.decision.retry_after);
        }
        if (each.result == outcome::unanswered_denied && told.verdict == kind::admitted) told.verdict = kind::store_unavailable;
    }
    if (told.verdict == kind::admitted) return std::nullopt;
    return told;
}

} // namespace penstock::limiter
