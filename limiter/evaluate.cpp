#include "limiter/evaluate.hpp"

#include <cassert>

namespace penstock::limiter {

verdict evaluate(std::span<claim const> asked, std::span<advanced const> looks, base::instant now) noexcept
{
    assert(asked.size() == looks.size());
    verdict result;
    result.now = now;
    for (std::size_t i = 0; i < asked.size(); ++i) {
        auto const enforced = asked[i].policy->enforce == enforcement::enforce;
        if (enforced && !looks[i].decision.allowed) result.allowed = false;
    }
    for (auto const& look : looks) result.decisions.push_back(result.allowed ? look.decision : look.idle);
    return result;
}

keeping what_to_keep(claim const& asked, advanced const& look, bool request_allowed) noexcept
{
    if (request_allowed && look.decision.allowed && asked.cost > 0) return keeping::charge;
    return look.needs_repair ? keeping::repair : keeping::nothing;
}

counter_state const* state_to_keep(claim const& asked, advanced const& look, bool request_allowed) noexcept
{
    switch (what_to_keep(asked, look, request_allowed)) {
    case keeping::charge: return &look.next;
    case keeping::repair: return &look.repaired;
    case keeping::nothing: break;
    }
    return nullptr;
}

} // namespace penstock::limiter
