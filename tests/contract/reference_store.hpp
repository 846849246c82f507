// The pure functions over a map: what every store must answer. Counters are never dropped, however old.
#pragma once

#include "limiter/evaluate.hpp"

#include <map>
#include <span>
#include <string>
#include <vector>

namespace penstock::tests {

class reference_store {
public:
    limiter::verdict acquire(std::span<limiter::claim const> asked, base::instant now)
    {
        std::vector<limiter::advanced> looks;
        for (auto const& claim : asked) {
            std::string const key(claim.key.view());
            auto const& how = claim.algorithm();
            looks.push_back(keeps_long_state(how) ? advance_long(how, &long_states_[key], claim.cost, now)
                                                  : advance(how, &states_[key], claim.cost, now));
        }
        auto const verdict = limiter::evaluate(asked, looks, now);
        for (std::size_t i = 0; i < asked.size(); ++i) keep(asked[i], looks[i], verdict);
        return verdict;
    }

    void give_back(limiter::claim const& what, limiter::charge const& taken, base::instant now)
    {
        std::string const key(what.key.view());
        if (keeps_long_state(what.algorithm()))
            limiter::refund(what.algorithm(), long_states_[key], taken, now);
        else
            limiter::refund(what.algorithm(), states_[key], taken, now);
    }

private:
    void keep(limiter::claim const& claim, limiter::advanced const& look, limiter::verdict const& verdict)
    {
        std::string const key(claim.key.view());
        auto const what = limiter::what_to_keep(claim, look, verdict.allowed);
        if (what == limiter::keeping::nothing) return;
        if (!keeps_long_state(claim.algorithm())) {
            states_[key] = what == limiter::keeping::charge ? look.next : look.repaired;
        } else if (what == limiter::keeping::charge) {
            keep_charge(claim.algorithm(), long_states_[key], claim.cost, verdict.now);
        } else {
            keep_repair(claim.algorithm(), long_states_[key], verdict.now);
        }
    }

    std::map<std::string, limiter::counter_state> states_;
    std::map<std::string, limiter::long_state> long_states_;
};

} // namespace penstock::tests
