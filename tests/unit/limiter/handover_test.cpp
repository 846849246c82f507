// The stand-in behind fleet_front, before a store that fails and comes back: what it admits, what the store is told afterwards, and
// in which order.
#include "tests/unit/limiter/front_fixture.hpp"

namespace penstock::limiter::tests {
namespace {

struct outage : front_test {
    policy limit = fleet_wide(window("k", 30));
    claim one = claim_of(limit, "x");

    outage()
    {
        front.relieve(local);
        local.set_part({.gateways = 3, .place = 0});
    }
    static policy fleet_wide(policy made)
    {
        made.scope = scope::fleet;
        return made;
    }
    void fail() { behind.fails = errc::timed_out; }
    void recover() { behind.fails.reset(); }
    // How many of so many requests pass.
    int admit_of(int requests)
    {
        int passed = 0;
        for (int i = 0; i < requests; ++i) {
            auto& made = admit({one});
            answer_all();
            if (made.gate.verdict == admission_ruling::kind::admitted) ++passed;
        }
        return passed;
    }
};

} // namespace

TEST_CASE_FIXTURE(outage, "a counter that nothing is known of admits half of this gateway's share")
{
    fail();
    CHECK(admit_of(20) == 5);
    CHECK(local.count().owed == 1);
}

TEST_CASE_FIXTURE(outage, "a counter that the store has spoken of goes on from there")
{
    CHECK(admit_of(24) == 24);
    fail();
    CHECK(admit_of(20) == 2); // a third of the six that were left
}

TEST_CASE_FIXTURE(outage, "a counter that the store called more than half full begins half full")
{
    CHECK(admit_of(12) == 12);
    fail();
    CHECK(admit_of(20) == 5);
}

TEST_CASE_FIXTURE(outage, "what was admitted is charged before the next request for the counter is asked about")
{
    fail();
    CHECK(admit_of(3) == 3);
    recover();
    behind.times.clear();
    admit({one});
    REQUIRE(behind.times == std::vector<std::uint32_t>{3, 1});
    answer_all();
    CHECK(admit_of(40) == 26); // 30 less those three, and the one just now
    CHECK(local.count().owed == 0);
    CHECK(local.count().handed_over == 3);
}

TEST_CASE_FIXTURE(outage, "counters that nobody asks for are charged in the background, once the store can be asked")
{
    fail();
    for (int i = 0; i < 10; ++i) {
        one = claim_of(limit, std::to_string(i));
        CHECK(admit_of(1) == 1);
    }
    recover();
    behind.reachable = false;
    front.tick(base::clock::now());
    CHECK(behind.held.empty());
    behind.reachable = true;
    front.tick(base::clock::now());
    CHECK(behind.held.size() == 10);
    answer_all();
    CHECK(local.count().owed == 0);
    CHECK(local.count().handed_over == 10);
}

TEST_CASE_FIXTURE(outage, "while no charge is answered, those in the background pause, longer each time, until one is")
{
    fail();
    for (int i = 0; i < 40; ++i) {
        one = claim_of(limit, std::to_string(i));
        CHECK(admit_of(1) == 1);
    }
    behind.times.clear();
    auto now = base::clock::now();
    for (int i = 0; i < 300; ++i) {
        front.tick(now += 10ms);
        answer_all();
    }
    CHECK(behind.times.size() == 5 * 40U); // at once, and after 100, 200, 400 and 800 ms
    recover();
    front.tick(now);
    CHECK(behind.held.empty());
    CHECK(admit_of(1) == 1); // the last one's charge is told first, and taken
    front.tick(now);
    CHECK(behind.held.size() == 39);
    answer_all();
    CHECK(local.count().owed == 0);
}

TEST_CASE_FIXTURE(outage, "of a charge that no longer fits, what the store has granted is counted as handed over")
{
    CHECK(admit_of(26) == 26);
    fail();
    local.set_part({.gateways = 1, .place = 0});
    CHECK(admit_of(4) == 4);
    recover();
    for (int i = 0; i < 3; ++i) behind.charge(one);
    auto const now = base::clock::now();
    front.tick(now); // hears of those that failed in front of requests
    front.tick(now + 100ms);
    answer_all();
    CHECK(local.count().owed == 0);
    CHECK(local.count().handed_over == 1);
}

TEST_CASE_FIXTURE(outage, "a charge that was not answered is made again, and meanwhile nobody begins anew")
{
    fail();
    CHECK(admit_of(20) == 5);
    CHECK(admit_of(20) == 0); // each of these tried to hand over first, in vain
    CHECK(local.count().owed == 1);
    recover();
    CHECK(admit_of(40) == 25);
    CHECK(local.count().handed_over == 5);
}

TEST_CASE_FIXTURE(outage, "what was given back is not charged")
{
    fail();
    auto& made = admit({one});
    answer_all();
    REQUIRE(made.gate.verdict == admission_ruling::kind::admitted);
    CHECK(admit_of(1) == 1);
    give_back(from, made.asked, made.gate, extent::everything);
    CHECK(behind.given_back.empty());
    recover();
    CHECK(admit_of(1) == 1);
    CHECK(local.count().handed_over == 1);
}

TEST_CASE_FIXTURE(outage, "a limit that denies or allows without the store is neither counted nor charged")
{
    for (auto const mode : {failure_mode::allow, failure_mode::deny}) {
        limit.on_store_failure = mode;
        fail();
        CHECK(admit_of(20) == (mode == failure_mode::allow ? 20 : 0));
        CHECK(local.count().owed == 0);
    }
}

TEST_CASE_FIXTURE(outage, "a gateway without a permit refuses for a second, not for ever")
{
    limit = fleet_wide(window("k", 1));
    fail();
    int passed = 0;
    for (std::uint32_t place = 0; place < 3; ++place) {
        local.set_part({.gateways = 3, .place = place});
        one = claim_of(limit, "y");
        auto& made = admit({one});
        answer_all();
        if (made.gate.verdict == admission_ruling::kind::admitted)
            ++passed;
        else
            CHECK(made.gate.retry_after == permit_retry);
    }
    CHECK(passed == 1);
}

TEST_CASE_FIXTURE(outage, "a cost that only the whole fleet could admit is told to come back")
{
    one.cost = 20; // the share is 10
    fail();
    auto& made = admit({one});
    answer_all();
    CHECK(made.gate.verdict == admission_ruling::kind::refused);
    CHECK(made.gate.retry_after == permit_retry);
    one.cost = 31;
    auto& never_passes = admit({one});
    answer_all();
    CHECK(never_passes.gate.retry_after == never);
}

TEST_CASE_FIXTURE(
    outage, "permits that are held count against the share, whoever granted them, and the store hears of those granted here")
{
    limit = fleet_wide(policy_of("c", concurrency{9}));
    one = claim_of(limit, "x");
    auto& granted = admit({one});
    answer_all();
    REQUIRE(granted.gate.rulings[0].by == answerer::fleet);
    fail();
    CHECK(admit_of(5) == 2); // of three
    CHECK(behind.held_here.size() == 2);
    give_back(from, granted.asked, granted.gate, extent::permits);
    CHECK(behind.given_back.size() == 1);
    auto& here = admit({one});
    answer_all();
    REQUIRE(here.gate.rulings[0].by == answerer::memory);
    CHECK(admit_of(1) == 0);
    give_back(from, here.asked, here.gate, extent::permits);
    CHECK(behind.given_back.size() == 2);
    CHECK(admit_of(5) == 1);
    CHECK(local.count().owed == 0);
}

TEST_CASE_FIXTURE(
    outage,
    "a charge that the store refuses to hear of waits until a caller is answered about that counter, which goes on meanwhile")
{
    for (auto const why : {errc::refused_login, errc::script}) {
        CAPTURE(name_of(why));
        one = claim_of(limit, std::string(name_of(why)));
        auto const before = local.count();
        behind.fails = errc::not_connected;
        CHECK(admit_of(3) == 3);
        behind.fails = why;
        CHECK(admit_of(1) == 1);
        behind.times.clear();
        CHECK(admit_of(20) == 1); // half of its share is five
        front.tick(base::clock::now() + 10s);
        CHECK(behind.times == std::vector<std::uint32_t>(20, 1)); // callers' alone
        CHECK(local.count().owed == 1);
        recover();
        CHECK(admit_of(40) == 30 - 5);
        CHECK(local.count().owed == 0);
        CHECK(local.count().handed_over == before.handed_over + 5);
        CHECK(local.count().not_recorded == 0);
    }
}

TEST_CASE_FIXTURE(outage, "a charge of which the store does not say that it will not hear of it is made again")
{
    for (auto const why : {errc::timed_out, errc::out_of_memory, errc::cluster}) {
        CAPTURE(name_of(why));
        one = claim_of(limit, std::string(name_of(why)));
        behind.fails = errc::not_connected;
        CHECK(admit_of(3) == 3);
        behind.fails = why;
        admit({one});
        CHECK_FALSE(behind.held.front().second->is_of_a_caller());
        CHECK(behind.held.back().second->is_of_a_caller());
        answer_all();
        behind.times.clear();
        recover();
        admit({one});
        CHECK(behind.times == std::vector<std::uint32_t>{4, 1});
        answer_all();
        CHECK(local.count().owed == 0);
    }
}

TEST_CASE_FIXTURE(outage, "what was charged under a prefix that is no longer used is dropped and counted")
{
    fail();
    CHECK(admit_of(3) == 3);
    local.keep_only("rl:{");
    CHECK(local.count().owed == 1);
    local.keep_only("rl:x:{");
    CHECK(local.count().owed == 0);
    CHECK(local.count().not_recorded == 3);
    recover();
    front.tick(base::clock::now());
    CHECK(behind.held.empty());
}

TEST_CASE("a counter that memory dropped in the outage goes on from where it was, and is told of")
{
    auto const day = std::int64_t{86'400'000'000};
    auto const midnight = base::since_epoch_us(start) - 1;
    calendar const days{calendar_unit::day, "UTC", {midnight - day, midnight, midnight + day, midnight + 2 * day}};
    struct row {
        char const* name;
        algorithm how;
    };
    for (auto const& row :
         {row{"fixed window", *make_fixed_window(20, seconds(3600))}, row{"bucket", *make_token_bucket(20, 20, seconds(3600))},
          row{"sliding window", *make_sliding_window(20, seconds(3600), 10)},
          row{"sliding log", *make_sliding_log(20, seconds(3600))},
          row{"sliding counter", *make_sliding_counter(20, seconds(3600))}, row{"calendar", *make_calendar_window(20, days)}}) {
        CAPTURE(row.name);
        memory_store memory{{.max_keys = 100}};
        stand_in local{memory};
        auto limit = policy_of("k", row.how);
        limit.scope = scope::fleet;
        auto const one = claim_of(limit, "victim");
        auto now = start;
        int passed = 0;
        for (int round = 0; round < 4; ++round) {
            for (int i = 0; i < 8; ++i)
                if (local.acquire({&one, 1}, now += base::micros{1000}).allowed) ++passed;
            for (int i = 0; i < 2'000; ++i) {
                auto const other = claim_of(limit, std::to_string(round) + " " + std::to_string(i), 10);
                local.acquire({&other, 1}, now);
            }
            REQUIRE_FALSE(memory.keeps(one)); // as the others stay touched for longer
        }
        CHECK(passed == 10); // half of it, once
        auto const debt = local.take(one, now);
        REQUIRE(debt);
        CHECK(debt->permits == 10);
    }
}

TEST_CASE("a counter that has refilled in the outage was not dropped: it is full")
{
    memory_store memory{{.max_keys = 100}};
    stand_in local{memory};
    auto const limit = policy_of("k", *make_token_bucket(20, 20, seconds(20)));
    auto const one = claim_of(limit, "x");
    for (int i = 0; i < 10; ++i) CHECK(local.acquire({&one, 1}, start).allowed);
    CHECK_FALSE(local.acquire({&one, 1}, start).allowed);
    auto const later = start + seconds(30);
    while (memory.sweep(later) > 0) {}
    CHECK(memory.count().keys == 0);
    for (int i = 0; i < 20; ++i) CHECK(local.acquire({&one, 1}, later).allowed);
    CHECK_FALSE(local.acquire({&one, 1}, later).allowed);
}

} // namespace penstock::limiter::tests
