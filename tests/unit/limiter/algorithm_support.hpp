// What the property tests of the algorithms share: random numbers by seed, and one counter of either kind of state.
#pragma once

#include "limiter/algorithm.hpp"

#include <algorithm>
#include <optional>
#include <random>

namespace penstock::limiter::tests {

class dice {
public:
    explicit dice(std::uint64_t seed) : engine_(seed) {}
    std::int64_t between(std::int64_t least, std::int64_t most)
    {
        return std::uniform_int_distribution<std::int64_t>{least, most}(engine_);
    }
    // Every order of magnitude as likely as every other.
    std::int64_t magnitude(std::int64_t most) { return between(1, std::max<std::int64_t>(most >> between(0, 40), 1)); }
    bool one_in(int n) { return between(1, n) == 1; }

private:
    std::mt19937_64 engine_;
};

struct counter {
    std::optional<counter_state> state;
    std::optional<long_state> words;

    [[nodiscard]] advanced look(algorithm const& how, std::int64_t cost, base::instant now) const
    {
        if (keeps_long_state(how)) return advance_long(how, words ? &*words : nullptr, cost, now);
        return advance(how, state ? &*state : nullptr, cost, now);
    }

    // Looks, and keeps what a store would.
    advanced ask(algorithm const& how, std::int64_t cost, base::instant now)
    {
        auto const result = look(how, cost, now);
        auto const charged = result.decision.allowed && cost > 0;
        if (!charged && !result.needs_repair) return result;
        if (!keeps_long_state(how)) {
            state = charged ? result.next : result.repaired;
            return result;
        }
        if (!words) words.emplace();
        if (charged)
            keep_charge(how, *words, cost, now);
        else
            keep_repair(how, *words, now);
        return result;
    }

    bool give_back(algorithm const& how, charge const& taken, base::instant now)
    {
        if (keeps_long_state(how)) return words && refund(how, *words, taken, now);
        return state && refund(how, *state, taken, now);
    }
};

} // namespace penstock::limiter::tests
