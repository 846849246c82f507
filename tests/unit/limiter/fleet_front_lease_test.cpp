// Leases as fleet_front uses them: what permits at hand save and what becomes of them when others refuse, or the worker ends.
#include "tests/unit/limiter/front_fixture.hpp"

namespace penstock::limiter::tests {
namespace {

policy leased_bucket(std::string const& name)
{
    auto made = policy_of(name, *make_token_bucket(100'000, 100'000, 100s));
    made.precision = precision::leased;
    return made;
}

// The store's answer to the oldest call of the background.
void grant(front_test& test, std::int64_t permits)
{
    auto const [wanted, done] = test.behind.leases.front();
    test.behind.leases.pop_front();
    auto const now = base::clock::now();
    done(lease_answer{.now = now,
                      .granted = permits,
                      .lapses_at_us = base::since_epoch_us(now + 1h),
                      .valid_for = 1h,
                      .remaining = 1000,
                      .reset_after = 1s,
                      .retry_after = 0us});
}

std::int64_t leases_out(front_test& test, std::string const& limit)
{
    fleet_counts reported;
    test.front.report_leases(reported, base::clock::now());
    return reported[limit].leases_out;
}

// Asks until the key is so busy that permits are taken in advance, and lets the store grant them.
void warm_up(front_test& test, policy const& limit, std::int64_t permits)
{
    for (int i = 0; i < 10'000 && test.behind.leases.empty(); ++i) {
        test.ask({claim_of(limit, "x")});
        test.answer_all();
    }
    REQUIRE_FALSE(test.behind.leases.empty());
    CHECK(test.behind.leases.front().first.want > 0);
    grant(test, permits);
}

} // namespace

TEST_CASE("permits at hand are spent without a call, and go back when the worker ends")
{
    auto const limit = leased_bucket("l");
    front_test test;
    warm_up(test, limit, 3);
    auto const calls = test.behind.times.size();
    auto const asked = test.answers.size();
    for (int i = 0; i < 2; ++i) test.ask({claim_of(limit, "x")});
    CHECK(test.behind.times.size() == calls);
    CHECK(test.said(asked).allowed);
    CHECK(test.said(asked + 1).allowed);
    CHECK(test.on_lease("l") == 2);
    test.behind.leases.clear();
    test.front.close_leases(base::clock::now());
    test.ask({claim_of(limit, "x")});
    CHECK(test.behind.times.size() == calls + 1);
    test.answer_all();
}

TEST_CASE("a permit at hand is taken back when another limit refuses, or cannot be asked")
{
    auto const limit = leased_bucket("l");
    auto const other = window("o", 1);
    front_test test;
    warm_up(test, limit, 100'000);
    claims const both{claim_of(other, "y", 2), claim_of(limit, "x")};
    for (auto const& fails : {std::optional<errc>{}, std::optional{errc::timed_out}}) {
        test.behind.fails = fails;
        test.ask(both);
        REQUIRE(test.behind.held.size() == 1);
        CHECK(test.behind.held.front().first.size() == 1); // only the other limit is asked
        test.answer_all();
        if (fails)
            CHECK(test.answers.back()->error() == errc::timed_out);
        else
            CHECK_FALSE(test.answers.back()->value().allowed);
        CHECK(test.on_lease("l") == 0);
    }
    test.behind.fails.reset();
    auto const calls = test.behind.times.size();
    test.ask({claim_of(limit, "x")});
    CHECK(test.behind.times.size() == calls);
    CHECK(test.answers.back()->value().allowed);
}

TEST_CASE("a permit at hand of a request that does not go on after all is at hand again, and the store hears nothing of it")
{
    auto limit = leased_bucket("l");
    limit.scope = scope::fleet;
    front_test test;
    warm_up(test, limit, 3);
    auto const at_hand = leases_out(test, "l");
    for (int i = 0; i < 100; ++i) {
        auto& made = test.admit({claim_of(limit, "x")});
        REQUIRE(made.gate.verdict == admission_ruling::kind::admitted);
        give_back(test.from, made.asked, made.gate, extent::everything);
        CHECK(leases_out(test, "l") == at_hand);
        // Also if a call for more was sent meanwhile.
        for (auto const& [wanted, done] : test.behind.leases)
            for (auto const& report : wanted.reports) CHECK(report.spent == 0);
    }
    CHECK(test.behind.given_back.empty());
}

TEST_CASE("permits at hand and the store's answer for the rest come in the order of the claims")
{
    auto const limit = leased_bucket("l");
    auto const other = window("o", 10);
    front_test test;
    warm_up(test, limit, 100'000);
    test.ask({claim_of(other, "y"), claim_of(limit, "x")});
    CHECK(test.on_lease("l") == 0); // not before it is known
    test.answer_all();
    auto const& said = test.answers.back()->value();
    REQUIRE(said.allowed);
    REQUIRE(said.decisions.size() == 2);
    CHECK(said.decisions[0].remaining == 9);
    CHECK(said.decisions[1].known);
    CHECK(test.on_lease("l") == 1);
}

TEST_CASE("a renewal in the middle of a request does not report its permit, which can be taken back")
{
    auto const limit = leased_bucket("l");
    auto const other = window("o", 1);
    front_test test;
    warm_up(test, limit, 1);
    test.ask({claim_of(limit, "x"), claim_of(other, "y", 2)});
    REQUIRE(test.behind.leases.size() == 1); // it was the last permit
    for (auto const& report : test.behind.leases.front().first.reports) CHECK(report.spent == 0);
    CHECK(leases_out(test, "l") == 0);
    test.answer_all();
    CHECK_FALSE(test.answers.back()->value().allowed);
    CHECK(leases_out(test, "l") == 1);
    auto const calls = test.behind.times.size();
    test.ask({claim_of(limit, "x")});
    CHECK(test.behind.times.size() == calls);
    CHECK(test.answers.back()->value().allowed);
}

TEST_CASE("permits at hand are known by limit")
{
    auto const limit = leased_bucket("l");
    front_test test;
    warm_up(test, limit, 50);
    CHECK(leases_out(test, "l") == 50);
    test.ask({claim_of(limit, "x")});
    CHECK(leases_out(test, "l") == 49);
    CHECK(leases_out(test, "other") == 0);
    test.front.close_leases(base::clock::now());
    CHECK(leases_out(test, "l") == 0);
}

TEST_CASE("permits that are granted, or taken back, after the worker has given back all, go back as well")
{
    auto const limit = leased_bucket("l");
    auto const other = window("o", 1);
    front_test test;
    warm_up(test, limit, 1);
    CHECK(test.front.leases_settled());
    test.ask({claim_of(limit, "x"), claim_of(other, "y", 2)});
    REQUIRE(test.behind.leases.size() == 1);
    test.front.close_leases(base::clock::now());
    CHECK(test.behind.leases.size() == 1); // nothing is at hand
    test.answer_all();
    REQUIRE(test.behind.leases.size() == 2);
    CHECK(test.behind.leases.back().first.reports[0].returned == 1);
    CHECK_FALSE(test.front.leases_settled());

    grant(test, 30);
    REQUIRE(test.behind.leases.size() == 2);
    CHECK(test.behind.leases.back().first.want == 0);
    CHECK(test.behind.leases.back().first.reports[0].returned + test.behind.leases.back().first.reports[1].returned == 30);
    grant(test, 0);
    grant(test, 0);
    CHECK(test.behind.leases.empty());
    CHECK(test.front.leases_settled());
}

} // namespace penstock::limiter::tests
