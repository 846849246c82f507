// What of an outage is remembered, for how long and how much of it: the ledger, by itself and as stand_in uses it.
#include "limiter/outage_ledger.hpp"

#include "tests/unit/limiter/front_fixture.hpp"

#include <set>
#include <string>

namespace penstock::limiter::tests {

TEST_CASE("counters behind many that cannot be told of yet have their turn")
{
    outage_ledger ledger{100'000};
    auto const limit = window("k", 10);
    constexpr std::size_t counters = 1'000;
    for (std::size_t i = 0; i < counters; ++i)
        ledger.charge(claim_of(limit, std::to_string(i)), 1, last_answer{}, start); // in one stripe
    std::set<std::string> seen;
    auto const look = [&](claim const& about) {
        seen.emplace(about.key.view());
        return false;
    };
    for (std::size_t i = 0; i < counters / 64 + 1; ++i) CHECK(ledger.take_some(10, look, start).empty());
    CHECK(seen.size() == counters);
}

TEST_CASE("counters beyond those that can be remembered go on counting, and what is not handed over is told")
{
    memory_store memory{{.max_keys = 10'000}};
    stand_in local{memory, 16}; // one in each stripe
    auto const limit = window("k", 10);
    for (int i = 0; i < 200; ++i) {
        auto const one = claim_of(limit, std::to_string(i));
        for (int j = 0; j < 8; ++j) CHECK(local.acquire({&one, 1}, start).allowed == (j < 5));
    }
    auto const counts = local.count();
    CHECK(counts.owed <= 16);
    CHECK(counts.owed > 8);
    CHECK(counts.not_recorded == (200 - counts.owed) * 5);
}

TEST_CASE("a counter whose window is over makes room in the ledger")
{
    memory_store memory{{.max_keys = 10'000}};
    stand_in local{memory, 16};
    auto const limit = window("k", 10); // an hour
    for (int i = 0; i < 100; ++i) {
        auto const one = claim_of(limit, std::to_string(i));
        local.acquire({&one, 1}, start);
    }
    auto const lost = local.count().not_recorded;
    for (int i = 0; i < 100; ++i) {
        auto const one = claim_of(limit, "later " + std::to_string(i));
        local.acquire({&one, 1}, start + seconds(3'601) * (i + 1));
    }
    CHECK(local.count().not_recorded == lost);
    CHECK(local.count().owed <= 16);
}

TEST_CASE("a calendar's charge outlives the snapshot that the calendar came from")
{
    memory_store memory{{.max_keys = 100}};
    stand_in local{memory};
    std::optional<outage_debt> debt;
    auto const noon = base::since_epoch_us(start);
    auto const day = std::int64_t{86'400'000'000};
    auto const asked_by_gone_snapshot = [&] {
        calendar const days{
            calendar_unit::day, "UTC", {noon - 2 * day, noon - day, noon + day / 2, noon + 2 * day, noon + 3 * day}};
        auto const limit = policy_of("d", *make_calendar_window(10, days));
        auto const one = claim_of(limit, "x");
        CHECK(local.acquire({&one, 1}, start).allowed);
    };
    asked_by_gone_snapshot();
    auto taken = local.take_some(
        5, [](claim const&) { return true; }, start);
    REQUIRE(taken.size() == 1);
    CHECK(taken[0].permits == 1);
    auto const near = moment_of(*std::get<calendar_window>(taken[0].whole).calendar, start);
    CHECK(near.start == noon - day);
    CHECK(near.end == noon + day / 2);
    local.not_handed_over(taken[0]);
    CHECK(local
              .take_some(
                  5, [](claim const&) { return true; }, start + seconds(86'400))
              .empty()); // another day
    CHECK(local.count().owed == 0);
}

TEST_CASE("what is dropped while the store is being told of it counts as lost if it was told in vain")
{
    memory_store memory{{.max_keys = 100}};
    stand_in local{memory};
    auto const limit = window("k", 30);
    auto const one = claim_of(limit, "x");
    for (bool const is_refused : {false, true}) {
        auto const lost = local.count().not_recorded;
        for (int i = 0; i < 3; ++i) CHECK(local.acquire({&one, 1}, start).allowed);
        auto const debt = local.take(one, start);
        REQUIRE(debt);
        local.keep_only("another");
        CHECK(local.count().owed == 0);
        CHECK(local.count().not_recorded == lost);
        if (is_refused)
            local.refused_to_take(*debt);
        else
            local.not_handed_over(*debt);
        CHECK(local.count().not_recorded == lost + 3);
    }
}

TEST_CASE("a charge that the store refuses to hear of is forgotten when it has refilled")
{
    memory_store memory{{.max_keys = 100}};
    stand_in local{memory};
    auto const limit = window("k", 30); // an hour
    auto const one = claim_of(limit, "x");
    CHECK(local.acquire({&one, 1}, start).allowed);
    local.refused_to_take(*local.take(one, start));
    auto const everything = [](claim const&) { return true; };
    CHECK(local.take_some(5, everything, start).empty());
    CHECK(local.count().owed == 1);
    CHECK(local.take_some(5, everything, start + seconds(3'601)).empty());
    CHECK(local.count().owed == 0);
}

} // namespace penstock::limiter::tests
