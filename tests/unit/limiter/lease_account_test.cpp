// One holder's account step by step: when it spends, asks, refuses, renews, reports and returns.
#include "limiter/lease_account.hpp"

#include <doctest/doctest.h>

#include <string>

namespace penstock::tests {
namespace {

using base::micros;
using limiter::lease_way;

base::instant at(std::int64_t us) { return base::at_epoch_us(1'800'000'000'000'000 + us); }

// 1000 a second in bursts of 1000: epochs of 125 ms, permits for 62.5 ms at once.
struct one_key {
    one_key()
    {
        policy.quota.algorithm = *limiter::make_token_bucket(1000, 1000, micros{1'000'000});
        claim.policy = &policy;
        claim.key.append("{k}:tb");
    }
    // A request each millisecond for a second, all of them asked for.
    void make_busy()
    {
        for (int i = 0; i < 1000; ++i) account.spend(claim, at(now_us += 1000));
    }
    limiter::lease_request renew()
    {
        auto const ruling = account.spend(claim, at(now_us += 1000));
        REQUIRE(ruling.renew);
        return account.renew(claim, at(now_us));
    }
    static limiter::lease_answer grant(std::int64_t permits, std::int64_t remaining, std::int64_t lapses_at_us = 7'000'000)
    {
        return {.now = at(0),
                .granted = permits,
                .lapses_at_us = lapses_at_us,
                .valid_for = micros{200'000},
                .remaining = remaining,
                .reset_after = micros{300'000},
                .retry_after = {}};
    }

    limiter::policy policy;
    limiter::claim claim;
    limiter::lease_account account{64, {1, 2}};
    std::int64_t now_us = 0;
};

} // namespace

TEST_CASE("how long leases of a limit live")
{
    struct row {
        char const* name;
        std::optional<limiter::algorithm> limit;
        std::optional<limiter::lease_terms> terms;
    };
    using terms = limiter::lease_terms;
    row const rows[] = {
        {"a burst of a second", limiter::make_token_bucket(100, 100, micros{1'000'000}),
         terms{micros{125'000}, micros{62'500}}},
        {"a burst of a minute", limiter::make_token_bucket(100, 100, micros{60'000'000}),
         terms{micros{250'000}, micros{125'000}}},
        {"a burst of 16 ms", limiter::make_token_bucket(16, 1000, micros{1'000'000}), terms{micros{2'000}, micros{1'000}}},
        {"a burst of 15 ms", limiter::make_token_bucket(15, 1000, micros{1'000'000}), std::nullopt},
        {"a fixed window", limiter::make_fixed_window(10, micros{400'000}), terms{micros{50'000}, micros{25'000}}},
        {"a sliding log", limiter::sliding_log{10, 1'000'000}, std::nullopt},
    };
    for (auto const& row : rows) {
        CAPTURE(std::string(row.name));
        REQUIRE(row.limit.has_value());
        CHECK(limiter::lease_terms_of(*row.limit) == row.terms);
    }
}

TEST_CASE("a key that is not busy is asked for, and nothing is taken in advance")
{
    one_key key;
    for (int i = 0; i < 100; ++i) {
        auto const ruling = key.account.spend(key.claim, at(i * 100'000)); // 10 a second
        CHECK(ruling.way == lease_way::ask);
        CHECK(!ruling.renew);
    }
}

TEST_CASE("a busy key renews once, asks until the answer, then spends")
{
    one_key key;
    key.make_busy();
    auto const sent = key.renew();
    CHECK(sent.want > 50); // 62.5 ms at 1000 a second
    CHECK(sent.want < 75);
    auto const meanwhile = key.account.spend(key.claim, at(key.now_us + 100));
    CHECK(meanwhile.way == lease_way::ask);
    CHECK(!meanwhile.renew);

    key.account.answered(sent, at(key.now_us), one_key::grant(sent.want, 400), at(key.now_us + 500));
    auto const spent = key.account.spend(key.claim, at(key.now_us + 600));
    CHECK(spent.way == lease_way::spent);
    CHECK(spent.decision.remaining == 400 + sent.want - 1);
    CHECK(spent.decision.reset_after == micros{299'900});
    CHECK(!spent.renew);
}

TEST_CASE("permits are valid from when the call was sent, less what clocks may differ by")
{
    one_key key;
    key.make_busy();
    auto const sent = key.renew();
    auto const sent_at = key.now_us;
    key.account.answered(sent, at(sent_at), one_key::grant(sent.want, 400), at(sent_at + 90'000));
    CHECK(key.account.spend(key.claim, at(sent_at + 200'000 - 400 - 3)).way == lease_way::spent);
    CHECK(key.account.spend(key.claim, at(sent_at + 200'000 - 400 - 2)).way == lease_way::ask);
}

TEST_CASE("what was spent is reported once, even if the call gets lost")
{
    one_key key;
    key.make_busy();
    auto const sent = key.renew();
    key.account.answered(sent, at(key.now_us), one_key::grant(sent.want, 400), at(key.now_us + 500));
    limiter::lease_ruling ruling;
    std::int64_t spent = 0;
    while (!ruling.renew) {
        ruling = key.account.spend(key.claim, at(key.now_us += 1000));
        REQUIRE(ruling.way == lease_way::spent);
        ++spent;
    }
    auto const second = key.account.renew(key.claim, at(key.now_us));
    auto const told = second.reports[0].spent;
    CHECK(second.reports[0] == limiter::lease_report{7'000'000, told, 0});
    CHECK(told > 10);
    key.account.lost(second, at(key.now_us));

    // Of those alone that the call came too soon for the store was not told: they can be taken back.
    auto fresh = spent - told;
    CHECK(fresh >= 1);
    CHECK(fresh <= 4);
    while (key.account.unspend(key.claim, at(key.now_us))) --fresh;
    CHECK(fresh == 0);
    std::vector<limiter::lease_request> last;
    key.account.close(at(key.now_us), last);
    REQUIRE(last.size() == 1);
    CHECK(last[0].want == 0);
    CHECK(last[0].reports[0] == limiter::lease_report{7'000'000, 0, sent.want - told});
    CHECK(key.account.spend(key.claim, at(key.now_us)).way == lease_way::ask);
}

TEST_CASE("a request that others refuse gives its permit back")
{
    one_key key;
    key.make_busy();
    auto const sent = key.renew();
    CHECK(!key.account.unspend(key.claim, at(key.now_us)));
    key.account.answered(sent, at(key.now_us), one_key::grant(1, 400), at(key.now_us + 500));
    REQUIRE(key.account.spend(key.claim, at(key.now_us + 600)).way == lease_way::spent);
    CHECK(key.account.unspend(key.claim, at(key.now_us + 700)));
    CHECK(!key.account.unspend(key.claim, at(key.now_us + 700)));
    CHECK(key.account.spend(key.claim, at(key.now_us + 800)).way == lease_way::spent);
    CHECK(key.account.count().spent == 1);
}

TEST_CASE("what is left open is not reported until it is decided, and can be taken back till then")
{
    one_key key;
    key.make_busy();
    auto const sent = key.renew();
    key.account.answered(sent, at(key.now_us), one_key::grant(sent.want, 400), at(key.now_us + 500));
    limiter::lease_ruling ruling;
    std::int64_t spent = 0;
    while (!ruling.renew) {
        ruling = key.account.spend(key.claim, at(key.now_us += 1000));
        if (spent++ < 2) key.account.leave_open(key.claim);
    }
    auto const second = key.account.renew(key.claim, at(key.now_us));
    auto const told = second.reports[0].spent;
    CHECK(told <= spent - 2);
    CHECK(told >= spent - 4);
    key.account.answered(second, at(key.now_us), one_key::grant(0, 400), at(key.now_us + 500));
    for (int i = 0; i < 2; ++i) key.account.decided(key.claim);
    CHECK(key.account.unspend(key.claim, at(key.now_us)));
    std::vector<limiter::lease_request> last;
    key.account.close(at(key.now_us), last);
    REQUIRE(last.size() == 1);
    CHECK(last[0].reports[0] == limiter::lease_report{7'000'000, spent - told - 1, sent.want - spent + 1});
}

TEST_CASE("a permit of other numbers than are in force is not taken back")
{
    one_key key;
    key.make_busy();
    auto const sent = key.renew();
    key.account.answered(sent, at(key.now_us), one_key::grant(20, 400), at(key.now_us + 500));
    auto const before = key.policy;
    auto old = key.claim;
    old.policy = &before;
    REQUIRE(key.account.spend(old, at(key.now_us + 600)).way == lease_way::spent);
    key.policy.quota.algorithm = *limiter::make_token_bucket(100, 100, micros{1'000'000});
    CHECK(key.account.spend(key.claim, at(key.now_us + 700)).way == lease_way::ask);
    CHECK_FALSE(key.account.unspend(old, at(key.now_us + 800)));
    CHECK(key.account.spend(key.claim, at(key.now_us + 900)).way == lease_way::ask);
}

TEST_CASE("permits at hand by limit, until they lapse")
{
    one_key key;
    key.policy.name = "l";
    key.make_busy();
    auto const sent = key.renew();
    key.account.answered(sent, at(key.now_us), one_key::grant(20, 400), at(key.now_us + 500));
    key.account.spend(key.claim, at(key.now_us + 600));
    CHECK(key.account.held(at(key.now_us + 700)) == std::map<std::string, std::int64_t>{{"l", 19}});
    CHECK(key.account.held(at(key.now_us + 200'000)) == std::map<std::string, std::int64_t>{{"l", 0}});
}

TEST_CASE("where the fleet has fewer permits than a holder needs it refuses for a while, then asks again")
{
    one_key key;
    key.make_busy();
    auto const sent = key.renew();
    auto const answered_at = key.now_us + 500;
    key.account.answered(sent, at(key.now_us), one_key::grant(2, 2), at(answered_at));
    for (int i = 0; i < 2; ++i) CHECK(key.account.spend(key.claim, at(answered_at)).way == lease_way::spent);
    auto const refused = key.account.spend(key.claim, at(answered_at));
    CHECK(refused.way == lease_way::refused);
    CHECK(!refused.renew);
    CHECK(!refused.decision.allowed);
    CHECK(refused.decision.remaining == 0);
    CHECK(refused.decision.retry_after >= micros{31'250});
    CHECK(refused.decision.retry_after <= micros{62'500 + 500});
    CHECK(refused.decision.reset_after >= refused.decision.retry_after);

    // Then it renews, and refuses until the answer.
    auto const later = at(answered_at) + refused.decision.retry_after;
    auto const again = key.account.spend(key.claim, later);
    CHECK(again.renew);
    CHECK(again.way == lease_way::refused);
    key.account.lost(key.account.renew(key.claim, later), later);
    CHECK(key.account.spend(key.claim, later).way == lease_way::ask);
}

TEST_CASE("permits of other numbers are never spent, nor given back as if they were of the new ones")
{
    one_key key;
    key.make_busy();
    auto const sent = key.renew();
    SUBCASE("at hand when the numbers change")
    {
        key.account.answered(sent, at(key.now_us), one_key::grant(20, 400), at(key.now_us + 500));
        key.policy.quota.algorithm = *limiter::make_token_bucket(100, 100, micros{1'000'000});
        CHECK(key.account.spend(key.claim, at(key.now_us + 600)).way == lease_way::ask);
    }
    SUBCASE("on their way then")
    {
        key.policy.quota.algorithm = *limiter::make_token_bucket(100, 100, micros{1'000'000});
        CHECK(key.account.spend(key.claim, at(key.now_us + 100)).way == lease_way::ask);
        key.account.answered(sent, at(key.now_us), one_key::grant(20, 400), at(key.now_us + 500));
        CHECK(key.account.spend(key.claim, at(key.now_us + 600)).way == lease_way::ask);
    }
    std::vector<limiter::lease_request> back;
    key.account.sweep(at(key.now_us + 1000), back);
    CHECK(back.empty());
}

TEST_CASE("when the configuration changes everything goes back under its own numbers and is forgotten")
{
    one_key key;
    key.make_busy();
    auto const sent = key.renew();
    key.account.answered(sent, at(key.now_us), one_key::grant(20, 400), at(key.now_us + 500));
    std::vector<limiter::lease_request> back;
    key.account.start_anew(at(key.now_us + 600), back);
    REQUIRE(back.size() == 1);
    CHECK(back[0].algorithm == key.policy.quota.algorithm);
    CHECK(back[0].reports[0].returned == 20);
    CHECK(key.account.count().keys == 0);
    CHECK(key.account.spend(key.claim, at(key.now_us + 700)).way == lease_way::ask);
}

TEST_CASE("a key that falls silent gives back what it holds")
{
    one_key key;
    key.make_busy();
    auto const sent = key.renew();
    key.account.answered(sent, at(key.now_us), one_key::grant(sent.want, 400), at(key.now_us + 500));
    std::vector<limiter::lease_request> back;
    key.account.sweep(at(key.now_us + 1000), back);
    CHECK(back.empty()); // it may well be spent yet
    for (int i = 1; i < 4 && back.empty(); ++i) key.account.sweep(at(key.now_us + i * 50'000), back);
    REQUIRE(back.size() == 1);
    CHECK(back[0].reports[0].returned > 0);
    CHECK(back[0].reports[0].returned <= sent.want);
}

TEST_CASE("the account follows a bounded number of keys, and keeps the busy ones")
{
    one_key key;
    key.make_busy();
    auto const sent = key.renew();
    key.account.answered(sent, at(key.now_us), one_key::grant(sent.want, 400), at(key.now_us + 500));
    for (int i = 0; i < 10'000; ++i) {
        auto other = key.claim;
        other.key.clear();
        other.key.append("{" + std::to_string(i) + "}:tb");
        key.account.spend(other, at(key.now_us + 600));
    }
    CHECK(key.account.count().keys <= 64);
    CHECK(key.account.spend(key.claim, at(key.now_us + 700)).way == lease_way::spent);
}

} // namespace penstock::tests
