#include "limiter/wait_plan.hpp"

#include "tests/unit/limiter/claims.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace penstock::limiter {
namespace {

using base::micros;
using tests::claim_of;
using tests::seconds;
using tests::start;

constexpr micros timeout = seconds(2);

// One claim and what its limit said.
struct asked_limit {
    limiter::policy policy;
    bool allowed = false;
    micros retry_after{0};
};

asked_limit rate(micros retry_after, std::int64_t queue = 5)
{
    asked_limit made{.policy = tests::policy_of("rate", *make_token_bucket(10, 10, seconds(1))), .retry_after = retry_after};
    made.policy.queue = {.limit = queue, .order = queue_order::oldest_first, .timeout = timeout};
    return made;
}

asked_limit permits(scope where = scope::instance)
{
    asked_limit made{.policy = tests::policy_of("permits", concurrency{3}), .retry_after = seconds(1)};
    made.policy.scope = where;
    made.policy.queue = {.limit = 5, .order = queue_order::oldest_first, .timeout = timeout};
    return made;
}

asked_limit allowing(asked_limit limit)
{
    limit.allowed = true;
    return limit;
}

struct request {
    explicit request(std::vector<asked_limit> of) : limits(std::move(of))
    {
        std::vector<decision> said;
        for (auto const& each : limits) {
            claims.push_back(claim_of(each.policy, "x"));
            said.push_back({.allowed = each.allowed, .retry_after = each.retry_after});
        }
        std::vector<answer> answers;
        for (auto const& each : said) answers.push_back({.by = answerer::memory, .said = &each, .at = start});
        gate = admit(claims, answers);
    }
    // After this much of its time.
    [[nodiscard]] auto plan(micros passed) const { return plan_wait(claims, gate, {start, start + passed}); }

    std::vector<asked_limit> limits;
    limiter::claims claims;
    admission_ruling gate;
};

TEST_CASE("a refused request waits if every limit that refused it has a queue and may admit it in time")
{
    constexpr micros us{1};
    struct row {
        std::string_view name;
        std::vector<asked_limit> limits;
        micros passed;
        std::optional<std::size_t> place;
    };
    for (auto const& r : {
             row{"admitted", {allowing(rate(seconds(0)))}, seconds(0), std::nullopt},
             row{"in time", {rate(seconds(1))}, seconds(0), 0},
             row{"just in time", {rate(timeout - us)}, seconds(0), 0},
             row{"at the deadline", {rate(timeout)}, seconds(0), std::nullopt},
             row{"too little time left", {rate(seconds(1))}, seconds(1), std::nullopt},
             row{"never", {rate(never)}, seconds(0), std::nullopt},
             row{"no queue", {rate(seconds(1), 0)}, seconds(0), std::nullopt},
             row{"one of two has no queue", {rate(seconds(1)), rate(us, 0)}, seconds(0), std::nullopt},
             row{"a limit without a queue that allows", {allowing(rate(us, 0)), rate(seconds(1))}, seconds(0), 1},
             row{"the longest wait", {rate(us), rate(seconds(1)), rate(2 * us)}, seconds(0), 1},
             row{"one of two too late", {rate(us), rate(seconds(3))}, seconds(0), std::nullopt},
             row{"permits have no known time", {permits()}, timeout - us, 0},
             row{"but a deadline", {permits()}, timeout, std::nullopt},
         }) {
        CAPTURE(r.name);
        auto const plan = request(r.limits).plan(r.passed);
        CHECK(plan.has_value() == r.place.has_value());
        if (!plan || !r.place) continue;
        CHECK(plan->place == *r.place);
        CHECK(plan->deadline == start + timeout);
    }
}

TEST_CASE("it asks again when a rate may pass; for permits when it is called, and in the fleet now and then")
{
    auto const passed = micros{300'000};
    CHECK(request({rate(seconds(1))}).plan(passed)->ask_again == start + passed + seconds(1));
    CHECK(request({permits()}).plan(passed)->ask_again == base::instant::max());
    CHECK(request({permits(scope::fleet)}).plan(passed)->ask_again == start + passed + fleet_retry);
}

TEST_CASE("who waited in vain is told the limit's refusal as it is by then")
{
    request const bucket({allowing(rate(seconds(0))), rate(seconds(0))});
    last_refusal told{.decision = {.allowed = false, .remaining = 2, .reset_after = seconds(9), .retry_after = seconds(3)},
                      .by = answerer::fleet,
                      .at = start + seconds(100),
                      .heard = start};
    auto const gate = refuse_waiter(bucket.claims, 1, told, start + seconds(1));
    CHECK(gate.verdict == admission_ruling::kind::refused);
    CHECK(gate.retry_after == seconds(2));
    CHECK(gate.rulings[0].result == outcome::skipped);
    CHECK_FALSE(gate.rulings[0].answered());
    CHECK(gate.rulings[1].result == outcome::refused);
    CHECK(gate.rulings[1].by == answerer::fleet);
    CHECK(gate.rulings[1].at == start + seconds(101));
    CHECK(gate.rulings[1].decision.remaining == 2);
    CHECK(gate.rulings[1].decision.reset_after == seconds(8));

    CHECK(refuse_waiter(bucket.claims, 1, told, start + seconds(60)).retry_after == seconds(0));
    request const held({permits()});
    CHECK(refuse_waiter(held.claims, 0, told, start + seconds(60)).retry_after == seconds(3));
}

} // namespace
} // namespace penstock::limiter
