#include "limiter/attempt_refusal.hpp"
#include "tests/unit/limiter/claims.hpp"

#include <doctest/doctest.h>

#include <array>

namespace penstock::limiter {
namespace {

using kind = admission_ruling::kind;
using tests::claim_of;
using tests::policy_of;
using tests::seconds;

constexpr decision yes{.allowed = true, .remaining = 3, .reset_after = base::micros{5}, .retry_after = base::micros{0}};
constexpr decision wait_two{.allowed = false, .remaining = 0, .reset_after = base::micros{9}, .retry_after = base::micros{2}};
constexpr decision wait_seven{.allowed = false, .remaining = 0, .reset_after = base::micros{9}, .retry_after = base::micros{7}};
constexpr decision const* unanswered = nullptr;

policy closed_limit()
{
    auto result = policy_of("limit", *make_fixed_window(5, seconds(1)));
    result.on_store_failure = failure_mode::deny;
    return result;
}

} // namespace

TEST_CASE("AK-44: a refusal by the limits on failed attempts tells of no other limit")
{
    auto const attempts = closed_limit();
    auto const partners = closed_limit();
    auto const all = closed_limit();
    std::array const asked{claim_of(attempts, "a"), claim_of(partners, "p"), claim_of(all, "e")};
    std::array const on_failure{term{.first_of = {&attempts}}};
    auto const rule = [&](decision const* first, decision const* second) {
        auto const by = [](decision const* said) { return said ? answerer::memory : answerer::nobody; };
        std::array const answers{answer{by(first), first}, answer{by(second), second}, answer{answerer::memory, &yes}};
        return admit(asked, answers);
    };

    SUBCASE("the wait is theirs, not the longer one of the key's own limit")
    {
        auto const told = refusal_of_attempt(rule(&wait_two, &wait_seven), on_failure);
        REQUIRE(told);
        CHECK(told->verdict == kind::refused);
        CHECK(told->retry_after == wait_two.retry_after);
        REQUIRE(told->rulings.size() == 1);
        CHECK(told->rulings[0].policy == &attempts);
        CHECK(told->rulings[0].result == outcome::refused);
    }
    SUBCASE("a store that could not answer for them is what is told, even where another limit refuses")
    {
        auto const told = refusal_of_attempt(rule(unanswered, &wait_seven), on_failure);
        REQUIRE(told);
        CHECK(told->verdict == kind::store_unavailable);
        CHECK(told->rulings.size() == 1);
    }
    SUBCASE("a refusal by another limit is not theirs")
    {
        CHECK_FALSE(refusal_of_attempt(rule(&yes, &wait_seven), on_failure));
        CHECK_FALSE(refusal_of_attempt(rule(&wait_two, &wait_seven), {}));
    }
}

} // namespace penstock::limiter
