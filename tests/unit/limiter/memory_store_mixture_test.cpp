// All or nothing for every mixture of algorithms: random requests, each limit looked at before and after. The seed is printed
// with each failure; every run takes a fixed one.
#include "limiter/memory_store.hpp"
#include "tests/unit/limiter/algorithm_support.hpp"
#include "tests/unit/limiter/claims.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace penstock::limiter {
namespace {

using tests::claim_of;
using tests::dice;
using tests::policy_of;
using tests::seconds;
using tests::start;

calendar const& hours()
{
    static calendar const made = [] {
        calendar result;
        for (int i = -10; i < 1'000; ++i) result.starts.push_back(base::since_epoch_us(start + seconds(3600) * i));
        return result;
    }();
    return made;
}

std::vector<policy> one_of_each(dice& roll)
{
    auto const limit = [&] { return roll.between(1, 40); };
    std::vector<algorithm> const all{*make_token_bucket(limit(), 7, seconds(2)),
                                     *make_periodic_bucket(limit(), 3, seconds(1)),
                                     *make_fixed_window(limit(), seconds(2)),
                                     *make_clock_window(limit(), seconds(3)),
                                     *make_calendar_window(5 * limit(), hours()),
                                     *make_sliding_window(limit(), seconds(3), 3),
                                     *make_sliding_counter(limit(), seconds(2)),
                                     *make_sliding_log(limit(), seconds(2)),
                                     *make_concurrency(limit())};
    std::vector<policy> result;
    for (auto const& each : all) {
        result.push_back(policy_of(tag_of(each), each));
        if (roll.one_in(5)) result.back().enforce = enforcement::shadow;
    }
    return result;
}

std::vector<decision> looks(memory_store& store, std::vector<claim> asked, base::instant now)
{
    for (auto& each : asked) each.cost = 0;
    auto const verdict = store.acquire(asked, now);
    REQUIRE(verdict.allowed);
    return {verdict.decisions.begin(), verdict.decisions.end()};
}

// What a request must have done to one of its limits.
void check_effect(claim const& asked, verdict const& given, decision const& answer, decision const& before,
                  decision const& after)
{
    auto const charged = given.allowed && answer.allowed && asked.cost > 0;
    CHECK(after.remaining == before.remaining - (charged ? asked.cost : 0));
    CHECK(answer.remaining == after.remaining);
    CHECK(answer.reset_after == after.reset_after);
    CHECK(answer.allowed == (asked.cost <= before.remaining || asked.cost == 0));
    if (!charged) CHECK(after == before);
    if (asked.policy->enforce == enforcement::enforce && !answer.allowed) CHECK_FALSE(given.allowed);
}

} // namespace

TEST_CASE("a request is charged in all of its limits or in none, whatever their algorithms")
{
    std::size_t refused = 0;
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
        CAPTURE(seed);
        dice roll{seed};
        auto const policies = one_of_each(roll);
        memory_store store{{.max_keys = 10'000}};
        std::vector<std::pair<claim, charge>> held;
        auto now = start;
        for (int i = 0; i < 300; ++i) {
            now += base::micros{roll.between(0, 400'000)};
            if (roll.one_in(10)) store.sweep(now);
            std::vector<claim> asked;
            for (auto const& each : policies) {
                if (roll.one_in(2)) asked.push_back(claim_of(each, roll.one_in(2) ? "x" : "y", roll.between(0, 4)));
            }
            if (asked.empty()) continue;
            auto const before = looks(store, asked, now);
            auto const given = store.acquire(asked, now);
            auto const after = looks(store, asked, now);
            for (std::size_t k = 0; k < asked.size(); ++k)
                check_effect(asked[k], given, given.decisions[k], before[k], after[k]);
            refused += given.allowed ? 0 : 1;

            if (given.allowed && roll.one_in(4)) {
                store.refund(asked, given, now);
                auto const undone = looks(store, asked, now);
                for (std::size_t k = 0; k < asked.size(); ++k) CHECK(undone[k].remaining == before[k].remaining);
                continue;
            }
            for (std::size_t k = 0; given.allowed && k < asked.size(); ++k) {
                if (std::holds_alternative<concurrency>(asked[k].algorithm()) && given.decisions[k].allowed)
                    held.emplace_back(asked[k], charge{asked[k].cost, now, {}});
            }
            while (!held.empty() && roll.one_in(2)) {
                store.give_back(held.back().first, held.back().second, now);
                held.pop_back();
            }
        }
    }
    CHECK(refused > 1'000);
    CHECK(refused < 8'000);
}

} // namespace penstock::limiter
