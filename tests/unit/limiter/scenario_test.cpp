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
            auto const found = states_.find(std::string{claim.key.view()});
            auto const* state = found == states_.end() ? nullptr : &found->second;
            looks.push_back(limiter::advance(claim.algorithm(), state, claim.cost, now));
        }
        auto const result = limiter::evaluate(asked, looks, now);
        for (std::size_t i = 0; i < asked.size(); ++i) {
            auto const* keep = limiter::state_to_keep(asked[i], looks[i], result.allowed);
            if (keep) states_.insert_or_assign(std::string{asked[i].key.view()}, *keep);
        }
        return result;
    }

private:
    std::map<std::string, counter_state> states_;
};

void report(std::vector<std::string> const& wrong)
{
    for (auto const& line : wrong) FAIL_CHECK(line);
}

} // namespace

TEST_CASE("every scenario holds for the pure functions")
{
    for (auto const& each : tests::all_scenarios()) {
        map_of_states states;
        report(tests::run(each, [&](auto asked, auto now) { return states.acquire(asked, now); }));
    }
}

TEST_CASE("every scenario holds for the memory store")
{
    for (auto const& each : tests::all_scenarios()) {
        limiter::memory_store store{{.max_keys = 1000}};
        report(tests::run(each, [&](auto asked, auto now) { return store.acquire(asked, now); }));
    }
}

TEST_CASE("every scenario holds for the memory store though expired counters are swept between the requests")
{
    for (auto const& each : tests::all_scenarios()) {
        limiter::memory_store store{{.max_keys = 1000}};
        report(tests::run(each, [&](auto asked, auto now) {
            store.sweep(now);
            return store.acquire(asked, now);
        }));
    }
}

TEST_CASE("there are scenarios, each with a name of its own")
{
    std::set<std::string> names;
    for (auto const& each : tests::all_scenarios()) CHECK_MESSAGE(names.insert(each.name).second, each.name);
    CHECK(names.size() >= 25);
}

} // namespace penstock
