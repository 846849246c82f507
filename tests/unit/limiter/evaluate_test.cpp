#include "limiter/evaluate.hpp"
#include "tests/unit/limiter/claims.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

namespace penstock::limiter {
namespace {

using tests::claim_of;
using tests::policy_of;
using tests::seconds;
using tests::start;

advanced look(bool allowed, bool needs_repair = false)
{
    advanced result;
    result.decision = {.allowed = allowed, .remaining = 1, .reset_after = {}, .retry_after = {}};
    result.idle = {.allowed = allowed, .remaining = 2, .reset_after = {}, .retry_after = {}};
    result.next = {10, 0};
    result.repaired = {20, 0};
    result.needs_repair = needs_repair;
    return result;
}

} // namespace

TEST_CASE("who decides, and what is kept of each claim")
{
    struct row {
        std::string name;
        bool first_allows, second_allows, second_in_shadow;
        bool request_allowed, first_charged, second_charged;
    };
    std::array const rows{
        row{"both allow", true, true, false, true, true, true},
        row{"one refuses", true, false, false, false, false, false},
        row{"both refuse", false, false, false, false, false, false},
        row{"the shadow refuses", true, false, true, true, true, false},
        row{"the shadow allows what the other refuses", false, true, true, false, false, false},
        row{"the shadow allows", true, true, true, true, true, true},
    };
    auto const enforced = policy_of("enforced", *make_fixed_window(5, seconds(1)));
    auto shadow = enforced;
    shadow.enforce = enforcement::shadow;
    for (auto const& row : rows) {
        CAPTURE(row.name);
        std::vector const asked{claim_of(enforced, "x"), claim_of(row.second_in_shadow ? shadow : enforced, "y")};
        std::array const looks{look(row.first_allows), look(row.second_allows)};
        auto const verdict = evaluate(asked, looks, start);
        CHECK(verdict.allowed == row.request_allowed);
        CHECK(verdict.now == start);
        REQUIRE(verdict.decisions.size() == 2);
        CHECK(verdict.decisions[0] == (row.request_allowed ? looks[0].decision : looks[0].idle));
        CHECK(verdict.decisions[1] == (row.request_allowed ? looks[1].decision : looks[1].idle));
        CHECK((state_to_keep(asked[0], looks[0], verdict.allowed) == &looks[0].next) == row.first_charged);
        CHECK((state_to_keep(asked[1], looks[1], verdict.allowed) == &looks[1].next) == row.second_charged);
    }
}

TEST_CASE("a repair is kept unless a charge replaces it")
{
    auto const limit = policy_of("limit", *make_fixed_window(5, seconds(1)));
    auto const broken = look(true, true);
    CHECK(state_to_keep(claim_of(limit, "x"), broken, true) == &broken.next);
    CHECK(state_to_keep(claim_of(limit, "x"), broken, false) == &broken.repaired);
    CHECK(state_to_keep(claim_of(limit, "x", 0), broken, true) == &broken.repaired);
    auto const sound = look(true);
    CHECK(state_to_keep(claim_of(limit, "x", 0), sound, true) == nullptr);
    CHECK(state_to_keep(claim_of(limit, "x"), sound, false) == nullptr);

    CHECK(what_to_keep(claim_of(limit, "x"), broken, true) == keeping::charge);
    CHECK(what_to_keep(claim_of(limit, "x"), broken, false) == keeping::repair);
    CHECK(what_to_keep(claim_of(limit, "x", 0), broken, true) == keeping::repair);
    CHECK(what_to_keep(claim_of(limit, "x", 0), sound, true) == keeping::nothing);
    CHECK(what_to_keep(claim_of(limit, "x"), sound, false) == keeping::nothing);
}

TEST_CASE("a request that meets no limit is allowed")
{
    auto const verdict = evaluate({}, {}, start);
    CHECK(verdict.allowed);
    CHECK(verdict.decisions.empty());
}

} // namespace penstock::limiter
