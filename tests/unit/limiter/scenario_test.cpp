// The scenarios of tests/cases against the pure functions (a map of states) and against the memory store.
#include "limiter/evaluate.hpp"
#include "limiter/memory_store.hpp"
#include "tests/support/scenario.hpp"

#include <doctest/doctest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace penstock {
namespace {

using limiter::counter_state;

// The smallest store there can be: what evaluate() promises and nothing else.
class map_of_states {
public:
    limiter::verdict acquire(std::span<limiter::claim const> asked, base::instant now)
    {
        std::vector<limiter::advanced> looks;
        for (auto const& claim : asked) {
            auto const key = std::string{claim.key.view()};
            auto const& how = claim.algorithm();
            if (keeps_long_state(how))
                looks.push_back(limiter::advance_long(how, known(long_states_, key), claim.cost, now));
            else
                looks.push_back(limiter::advance(how, known(states_, key), claim.cost, now));
        }
        auto const result = limiter::evaluate(asked, looks, now);
        for (std::size_t i = 0; i < asked.size(); ++i) keep(asked[i], looks[i], result);
        return result;
    }

    void give_back(limiter::claim const& what, limiter::charge const& taken, base::instant now)
    {
        auto const key = std::string{what.key.view()};
        if (auto* state = known(states_, key)) limiter::refund(what.algorithm(), *state, taken, now);
        if (auto* state = known(long_states_, key)) limiter::refund(what.algorithm(), *state, taken, now);
    }

private:
    template <typename State>
    static State* known(std::map<std::string, State>& states, std::string const& key)
    {
        auto const found = states.find(key);
        return found == states.end() ? nullptr : &found->second;
    }

    void keep(limiter::claim const& claim, limiter::advanced const& look, limiter::verdict const& result)
    {
        auto const key = std::string{claim.key.view()};
        if (!keeps_long_state(claim.algorithm())) {
            auto const* state = limiter::state_to_keep(claim, look, result.allowed);
            if (state) states_.insert_or_assign(key, *state);
            return;
        }
        auto const what = limiter::what_to_keep(claim, look, result.allowed);
        if (what == limiter::keeping::charge) keep_charge(claim.algorithm(), long_states_[key], claim.cost, result.now);
        if (what == limiter::keeping::repair) keep_repair(claim.algorithm(), long_states_[key], result.now);
    }

    std::map<std::string, counter_state> states_;
    std::map<std::string, limiter::long_state> long_states_;
};

tests::asked_store view(map_of_states& states)
{
    return {[&](auto asked, auto now) { return states.acquire(asked, now); },
            [&](auto const& what, auto const& taken, auto now) { states.give_back(what, taken, now); }};
}

tests::asked_store view(limiter::memory_store& store)
{
    return {[&](auto asked, auto now) { return store.acquire(asked, now); },
            [&](auto const& what, auto const& taken, auto now) { store.give_back(what, taken, now); }};
}

void report(std::vector<std::string> const& wrong)
{
    for (auto const& line : wrong) FAIL_CHECK(line);
}

} // namespace

TEST_CASE("every scenario holds for the pure functions")
{
    for (auto const& each : tests::all_scenarios()) {
        map_of_states states;
        report(tests::run(each, view(states)));
    }
}

TEST_CASE("every scenario holds for the memory store")
{
    for (auto const& each : tests::all_scenarios()) {
        limiter::memory_store store{{.max_keys = 1000, .clock_may_step = true}};
        report(tests::run(each, view(store)));
    }
}

TEST_CASE("every scenario holds for the memory store though expired counters are swept between the requests")
{
    for (auto const& each : tests::all_scenarios()) {
        limiter::memory_store store{{.max_keys = 1000, .clock_may_step = true}};
        auto swept = view(store);
        swept.acquire = [&](auto asked, auto now) {
            store.sweep(now);
            return store.acquire(asked, now);
        };
        report(tests::run(each, swept));
    }
}

TEST_CASE("there are scenarios, each with a name of its own")
{
    std::set<std::string> names;
    for (auto const& each : tests::all_scenarios()) CHECK_MESSAGE(names.insert(each.name).second, each.name);
    CHECK(names.size() >= 90);
}

} // namespace penstock
