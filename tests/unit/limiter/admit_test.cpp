#include "limiter/admit.hpp"
#include "limiter/error.hpp"
#include "tests/unit/limiter/claims.hpp"

#include <doctest/doctest.h>

#include <array>
#include <set>
#include <string>
#include <vector>

namespace penstock::limiter {
namespace {

using kind = admission_ruling::kind;
using tests::claim_of;
using tests::policy_of;
using tests::seconds;

constexpr decision yes{.allowed = true, .remaining = 3, .reset_after = base::micros{5}, .retry_after = base::micros{0}};
constexpr decision wait_two{.allowed = false, .remaining = 0, .reset_after = base::micros{9}, .retry_after = base::micros{2}};
constexpr decision wait_seven{.allowed = false, .remaining = 0, .reset_after = base::micros{9}, .retry_after = base::micros{7}};
constexpr decision hopeless{.allowed = false, .remaining = 0, .reset_after = base::micros{9}, .retry_after = never};
constexpr decision const* unanswered = nullptr;

policy limit_with(failure_mode when_unanswered, enforcement enforce)
{
    auto result = policy_of("limit", *make_fixed_window(5, seconds(1)));
    result.on_store_failure = when_unanswered;
    result.enforce = enforce;
    return result;
}

} // namespace

TEST_CASE("from answers, failure modes and shadow to a ruling")
{
    auto const local = limit_with(failure_mode::local, enforcement::enforce);
    auto const open = limit_with(failure_mode::allow, enforcement::enforce);
    auto const closed = limit_with(failure_mode::deny, enforcement::enforce);
    auto const shadow = limit_with(failure_mode::deny, enforcement::shadow);

    struct row {
        std::string name;
        std::vector<policy const*> limits;
        std::vector<decision const*> answers;
        kind verdict;
        base::micros retry_after;
        std::vector<outcome> outcomes;
    };
    base::micros const none{0};
    using enum outcome;
    std::array const rows{
        row{"no limit", {}, {}, kind::admitted, none, {}},
        row{"allowed", {&local, &local}, {&yes, &yes}, kind::admitted, none, {allowed, allowed}},
        row{"one refuses", {&local, &local}, {&yes, &wait_two}, kind::refused, wait_two.retry_after, {skipped, refused}},
        row{"the longest wait",
            {&local, &local, &local},
            {&wait_two, &wait_seven, &yes},
            kind::refused,
            wait_seven.retry_after,
            {refused, refused, skipped}},
        row{"no wait helps", {&local, &local}, {&hopeless, &wait_two}, kind::refused, never, {refused, refused}},
        row{"shadow refuses", {&shadow, &local}, {&wait_seven, &yes}, kind::admitted, none, {shadow_refused, allowed}},
        row{"shadow's wait is not told",
            {&shadow, &local},
            {&wait_seven, &wait_two},
            kind::refused,
            wait_two.retry_after,
            {shadow_refused, refused}},
        row{"unanswered, open", {&open, &local}, {unanswered, &yes}, kind::admitted, none, {unanswered_allowed, allowed}},
        row{"unanswered, closed",
            {&closed, &local},
            {unanswered, &yes},
            kind::store_unavailable,
            none,
            {unanswered_denied, skipped}},
        row{"unanswered, closed, but in shadow", {&shadow}, {unanswered}, kind::admitted, none, {unanswered_allowed}},
        row{"a refusal outweighs no answer",
            {&closed, &local},
            {unanswered, &wait_two},
            kind::refused,
            wait_two.retry_after,
            {unanswered_denied, refused}},
        row{"a refusal outweighs no answer, in the other order",
            {&local, &closed},
            {&wait_two, unanswered},
            kind::refused,
            wait_two.retry_after,
            {refused, unanswered_denied}},
    };
    for (auto const& row : rows) {
        CAPTURE(row.name);
        std::vector<claim> asked;
        for (auto const* limit : row.limits) asked.push_back(claim_of(*limit, "x"));
        std::vector<answer> answers;
        for (auto const* said : row.answers) answers.push_back({said ? answerer::fleet : answerer::nobody, said, {}});
        auto const gate = admit(asked, answers);
        CHECK(gate.verdict == row.verdict);
        CHECK(gate.retry_after == row.retry_after);
        REQUIRE(gate.rulings.size() == row.outcomes.size());
        for (std::size_t i = 0; i < row.outcomes.size(); ++i) {
            CAPTURE(i);
            CHECK(gate.rulings[i].policy == row.limits[i]);
            CHECK(gate.rulings[i].result == row.outcomes[i]);
            CHECK(gate.rulings[i].answered() == (row.answers[i] != nullptr));
            if (row.answers[i]) CHECK(gate.rulings[i].decision == *row.answers[i]);
        }
    }
}

TEST_CASE("every error has a message and a metric label of its own")
{
    std::set<std::string> messages;
    std::set<std::string_view> labels;
    for (auto value = static_cast<int>(errc::timed_out); value <= static_cast<int>(errc::protocol); ++value) {
        auto const code = make_error_code(static_cast<errc>(value));
        CHECK(code.failed());
        messages.insert(code.message());
        labels.insert(name_of(static_cast<errc>(value)));
    }
    CHECK(messages.size() == 12);
    CHECK(labels.size() == 12);
    CHECK_FALSE(messages.contains("unknown"));
    CHECK_FALSE(labels.contains("unknown"));
}

TEST_CASE("AK-44: two stages make one ruling; where the second refuses, nothing of the first is charged")
{
    auto const first_limit = policy_of("first", *make_fixed_window(5, seconds(1)));
    auto const second_limit = policy_of("second", *make_fixed_window(5, seconds(1)));
    auto const ruled = [](policy const& limit, decision const* said) {
        std::array const asked{claim_of(limit, "ip=192.0.2.1")};
        std::array const answers{answer{.by = said ? answerer::memory : answerer::nobody, .said = said}};
        return admit(asked, answers);
    };
    auto const granted = ruled(first_limit, &yes);

    auto const both = join(granted, ruled(second_limit, &yes));
    CHECK(both.verdict == kind::admitted);
    REQUIRE(both.rulings.size() == 2);
    CHECK(both.rulings[0].policy == &first_limit);
    CHECK(both.rulings[0].result == outcome::allowed);
    CHECK(both.rulings[1].policy == &second_limit);

    auto const refused = join(granted, ruled(second_limit, &wait_seven));
    CHECK(refused.verdict == kind::refused);
    CHECK(refused.retry_after == wait_seven.retry_after);
    REQUIRE(refused.rulings.size() == 2);
    CHECK(refused.rulings[0].result == outcome::skipped);
    CHECK(refused.rulings[1].result == outcome::refused);

    auto closed = second_limit;
    closed.on_store_failure = failure_mode::deny;
    auto const unavailable = join(granted, ruled(closed, unanswered));
    CHECK(unavailable.verdict == kind::store_unavailable);
    CHECK(unavailable.rulings[0].result == outcome::skipped);
}

} // namespace penstock::limiter
