// Memory and fleet together: who is asked, who is charged, and what is given back. The fleet's store is scripted.
#include "limiter/acquire.hpp"

#include "limiter/error.hpp"
#include "tests/unit/limiter/claims.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

namespace penstock::limiter {
namespace {

using tests::claim_of;
using tests::policy_of;
using tests::seconds;
using kind = admission_ruling::kind;

// Answers as told, one turn of the loop later, and keeps what it was asked.
class scripted_store final : public store {
public:
    boost::asio::awaitable<base::result<verdict>> acquire(std::span<claim const> asked, base::instant deadline) override
    {
        ++asked_times;
        asked_first = asked.data();
        asked_deadline = deadline;
        for (auto const& each : asked) asked_names.push_back(each.policy->name);
        co_await boost::asio::post(co_await boost::asio::this_coro::executor, boost::asio::use_awaitable);
        if (fails) co_return errc::timed_out;
        verdict said;
        for (std::size_t i = 0; i < asked.size(); ++i) {
            auto const refused = asked[i].policy->name == refuses;
            if (refused && asked[i].policy->enforce == enforcement::enforce) said.allowed = false;
            said.decisions.push_back({.allowed = !refused,
                                      .remaining = refused ? 0 : 100,
                                      .reset_after = seconds(9),
                                      .retry_after = refused ? seconds(7) : seconds(0)});
        }
        co_return said;
    }

    void give_back(claim const& what, charge const& taken) noexcept override
    {
        given_back.push_back(what.policy->name + " " + std::to_string(taken.cost));
    }

    void hold(claim const& what) override { held.push_back(what.policy->name); }

    bool fails = false;
    std::vector<std::string> given_back;
    std::vector<std::string> held; // granted without it
    std::string refuses;           // the limit of this name

    int asked_times = 0;
    claim const* asked_first = nullptr;
    base::instant asked_deadline{};
    std::vector<std::string> asked_names;
};

struct limit_shape {
    std::string name;
    limiter::scope scope = scope::fleet;
    failure_mode on_failure = failure_mode::local;
    enforcement enforce = enforcement::enforce;
};

policy of_shape(limit_shape const& shape)
{
    auto made = policy_of(shape.name, *make_token_bucket(10, 10, seconds(36'000))); // refills nothing during a test
    made.scope = shape.scope;
    made.on_store_failure = shape.on_failure;
    made.enforce = shape.enforce;
    return made;
}

limit_shape here(std::string const& name, enforcement enforce = enforcement::enforce)
{
    return {.name = name, .scope = scope::instance, .on_failure = failure_mode::local, .enforce = enforce};
}

limit_shape there(std::string const& name, failure_mode on_failure = failure_mode::local,
                  enforcement enforce = enforcement::enforce)
{
    return {.name = name, .scope = scope::fleet, .on_failure = on_failure, .enforce = enforce};
}

// A request that meets these limits, again and again.
class request {
public:
    explicit request(std::vector<limit_shape> const& shapes)
    {
        policies_.reserve(shapes.size());
        for (auto const& shape : shapes) {
            policies_.push_back(of_shape(shape));
            claims.push_back(claim_of(policies_.back(), "x"));
        }
    }

    admission_ruling ask()
    {
        boost::asio::io_context loop;
        admission_ruling gate;
        auto done = false;
        boost::asio::co_spawn(loop, acquire({memory, &fleet, nullptr, &local}, claims, deadline, gate),
                              [&done](std::exception_ptr failed) {
                                  CHECK_FALSE(failed);
                                  done = true;
                              });
        loop.run();
        CHECK(done);
        return gate;
    }
    // What memory would still admit of the limit at `place`.
    std::int64_t left(std::size_t place)
    {
        auto look = claims.at(place);
        look.cost = 0;
        return memory.acquire({&look, 1}, base::clock::now()).decisions[0].remaining;
    }
    std::vector<outcome> outcomes()
    {
        std::vector<outcome> all;
        for (auto const& each : ask().rulings) all.push_back(each.result);
        return all;
    }
    void drain(std::size_t place, std::int64_t permits = 10)
    {
        auto all = claims.at(place);
        all.cost = permits;
        REQUIRE(memory.acquire({&all, 1}, base::clock::now()).allowed);
    }

    limiter::claims claims;
    memory_store memory{{.max_keys = 1000}};
    stand_in local{memory};
    scripted_store fleet;
    base::instant deadline = tests::start;

private:
    std::vector<policy> policies_;
};

using outcomes = std::vector<outcome>;

} // namespace

TEST_CASE("claims of the fleet alone are handed on as they stand, uncopied")
{
    request asked({there("a"), there("b")});
    auto const gate = asked.ask();
    CHECK(gate.verdict == kind::admitted);
    CHECK(asked.fleet.asked_first == asked.claims.data());
    CHECK(asked.fleet.asked_deadline == asked.deadline);
    CHECK(asked.fleet.asked_names == std::vector<std::string>{"a", "b"});
    REQUIRE(gate.rulings.size() == 2);
    CHECK(gate.rulings[1].decision.remaining == 100);
    CHECK(asked.memory.count().keys == 0);
}

TEST_CASE("of a mixture each store is asked about its own, and the answers come in the order of the claims")
{
    request asked({there("a"), here("b"), there("c"), here("d")});
    auto const gate = asked.ask();
    CHECK(gate.verdict == kind::admitted);
    CHECK(asked.fleet.asked_names == std::vector<std::string>{"a", "c"});
    REQUIRE(gate.rulings.size() == 4);
    std::array<std::int64_t, 4> const remaining{100, 9, 100, 9};
    for (std::size_t i = 0; i < 4; ++i) {
        CAPTURE(i);
        CHECK(gate.rulings[i].policy == asked.claims[i].policy);
        CHECK(gate.rulings[i].decision.remaining == remaining[i]);
    }
    CHECK(asked.left(1) == 9);
    CHECK(asked.left(3) == 9);
    CHECK(asked.memory.count().keys == 2);
}

TEST_CASE("what memory refuses never reaches the fleet, and charges nothing")
{
    request asked({there("a", failure_mode::deny), here("b"), here("c")});
    asked.drain(1);
    auto const gate = asked.ask();
    CHECK(gate.verdict == kind::refused);
    CHECK(gate.retry_after > seconds(3590));
    CHECK(asked.fleet.asked_times == 0);
    REQUIRE(gate.rulings.size() == 3);
    CHECK(gate.rulings[0].result == outcome::skipped);
    CHECK_FALSE(gate.rulings[0].answered());
    CHECK(gate.rulings[1].result == outcome::refused);
    CHECK(gate.rulings[2].result == outcome::skipped);
    CHECK(asked.left(2) == 10);
}

TEST_CASE("what the fleet refuses is given back in memory, to the last permit")
{
    request asked({here("a"), there("b"), here("c")});
    asked.claims[0].cost = 4;
    asked.drain(0, 3);
    asked.fleet.refuses = "b";
    for (int i = 0; i < 100; ++i) {
        auto const gate = asked.ask();
        REQUIRE(gate.verdict == kind::refused);
        REQUIRE(gate.retry_after == seconds(7));
    }
    CHECK(asked.fleet.asked_times == 100);
    CHECK(asked.left(0) == 7);
    CHECK(asked.left(2) == 10);
    CHECK(asked.outcomes() == outcomes{outcome::skipped, outcome::refused, outcome::skipped});
}

TEST_CASE("a limit in shadow refuses nothing, whichever store counts it")
{
    SUBCASE("in memory")
    {
        request asked({here("a", enforcement::shadow), there("b")});
        asked.drain(0);
        CHECK(asked.outcomes() == outcomes{outcome::shadow_refused, outcome::allowed});
        CHECK(asked.fleet.asked_times == 1);
    }
    SUBCASE("in the fleet")
    {
        request asked({here("a"), there("b", failure_mode::local, enforcement::shadow)});
        asked.fleet.refuses = "b";
        CHECK(asked.outcomes() == outcomes{outcome::allowed, outcome::shadow_refused});
        CHECK(asked.left(0) == 9);
    }
    SUBCASE("in memory, while the fleet refuses: its own charge is given back, its refusal was none")
    {
        request asked({here("a", enforcement::shadow), here("c", enforcement::shadow), there("b")});
        asked.drain(0);
        asked.fleet.refuses = "b";
        CHECK(asked.outcomes() == outcomes{outcome::shadow_refused, outcome::skipped, outcome::refused});
        CHECK(asked.left(0) == 0);
        CHECK(asked.left(1) == 10);
    }
}

TEST_CASE("no answer from the fleet: each failure mode, alone and beside others")
{
    using shapes = std::vector<limit_shape>;
    struct row {
        std::string name;
        shapes limits;
        kind verdict;
        outcomes expected;
        std::vector<std::int64_t> left; // in memory, afterwards
    };
    auto const shadow = enforcement::shadow;
    std::array const rows{
        row{"local is counted here, from half", shapes{there("a")}, kind::admitted, outcomes{outcome::allowed}, {4}},
        row{"allow lets pass, uncounted",
            shapes{there("a", failure_mode::allow)},
            kind::admitted,
            outcomes{outcome::unanswered_allowed},
            {10}},
        row{"deny refuses",
            shapes{there("a", failure_mode::deny)},
            kind::store_unavailable,
            outcomes{outcome::unanswered_denied},
            {10}},
        row{"deny in shadow refuses nothing",
            shapes{there("a", failure_mode::deny, shadow)},
            kind::admitted,
            outcomes{outcome::unanswered_allowed},
            {10}},
        row{"local in shadow is counted here",
            shapes{there("a", failure_mode::local, shadow)},
            kind::admitted,
            outcomes{outcome::allowed},
            {4}},
        row{"deny beside local: nothing is charged in its place",
            shapes{there("a"), there("b", failure_mode::deny)},
            kind::store_unavailable,
            outcomes{outcome::unanswered_allowed, outcome::unanswered_denied},
            {10, 10}},
        row{"allow beside local",
            shapes{there("a", failure_mode::allow), there("b")},
            kind::admitted,
            outcomes{outcome::unanswered_allowed, outcome::allowed},
            {10, 4}},
        row{"deny beside memory: memory is given back",
            shapes{here("a"), there("b", failure_mode::deny)},
            kind::store_unavailable,
            outcomes{outcome::skipped, outcome::unanswered_denied},
            {10, 10}},
        row{"all modes in shadow beside memory",
            shapes{there("a", failure_mode::deny, shadow), here("b"), there("c", failure_mode::local, shadow)},
            kind::admitted,
            outcomes{outcome::unanswered_allowed, outcome::allowed, outcome::allowed},
            {10, 9, 4}},
    };
    for (auto const& row : rows) {
        CAPTURE(row.name);
        request asked(row.limits);
        asked.fleet.fails = true;
        auto const gate = asked.ask();
        CHECK(asked.fleet.asked_times == 1);
        CHECK(gate.verdict == row.verdict);
        REQUIRE(gate.rulings.size() == row.expected.size());
        for (std::size_t i = 0; i < row.expected.size(); ++i) {
            CAPTURE(i);
            CHECK(gate.rulings[i].result == row.expected[i]);
            CHECK(asked.left(i) == row.left[i]);
        }
    }
}

TEST_CASE("a stand-in that is exhausted refuses, and what the others took is given back")
{
    request asked({here("a"), there("b"), there("c"), there("d", failure_mode::allow)});
    asked.fleet.fails = true;
    auto const& used_up = asked.claims[2];
    asked.local.note(used_up.key, used_up.algorithm(),
                     {.remaining = 0, .at = base::clock::now(), .reset_after = seconds(36'000)}); // as the fleet said last
    CHECK(asked.outcomes() == outcomes{outcome::skipped, outcome::skipped, outcome::refused, outcome::unanswered_allowed});
    CHECK(asked.left(0) == 10);
    CHECK(asked.left(1) == 5); // where an unknown counter begins
}

TEST_CASE("a stand-in admits the half with which an unknown counter begins, and no more")
{
    request asked({there("a"), here("b")});
    asked.fleet.fails = true;
    auto admitted = 0;
    for (int i = 0; i < 30; ++i) admitted += asked.ask().verdict == kind::admitted ? 1 : 0;
    CHECK(admitted == 5);
    CHECK(asked.left(1) == 5); // the requests that were refused took nothing
}

TEST_CASE("claims of this process alone are answered without waiting")
{
    request asked({here("a"), here("b")});
    CHECK(all_in_memory(asked.claims));
    CHECK_FALSE(all_in_memory(request({here("a"), there("b")}).claims));
    auto const now = base::clock::now();
    for (int i = 0; i < 10; ++i) CHECK(acquire_in_memory(asked.memory, asked.claims, now).verdict == kind::admitted);
    auto const gate = acquire_in_memory(asked.memory, asked.claims, now);
    CHECK(gate.verdict == kind::refused);
    CHECK(gate.retry_after == seconds(3600));
}

} // namespace penstock::limiter
