// What stands before the fleet's store: which calls it saves, and that no answer changes.
#include "tests/unit/limiter/front_fixture.hpp"

namespace penstock::limiter::tests {

TEST_CASE("a request is one call, and what one limit refused is refused without another until a change of configuration")
{
    auto const a = window("a", 1);
    auto const b = window("b", 5);
    front_test test;
    claims const asked{claim_of(b, "x"), claim_of(a, "x")};
    for (int i = 0; i < 2; ++i) {
        test.ask(asked);
        test.answer_one();
    }
    CHECK(test.said(0).allowed);
    CHECK_FALSE(test.said(1).allowed);

    test.ask(asked);
    CHECK(test.behind.times.size() == 2);
    auto const& from_memory = test.said(2);
    CHECK_FALSE(from_memory.allowed);
    CHECK_FALSE(from_memory.decisions[0].known);
    CHECK(from_memory.decisions[1].known);
    CHECK_FALSE(from_memory.decisions[1].allowed);
    CHECK(from_memory.decisions[1].retry_after <= test.said(1).decisions[1].retry_after);
    CHECK(from_memory.decisions[1].retry_after > 59min);
    CHECK(test.from_memory("a") == 1);
    CHECK(test.from_memory("b") == 0);

    test.front.start_anew(base::clock::now());
    test.ask(asked);
    CHECK(test.behind.times.size() == 3);
    test.answer_all();
}

TEST_CASE("a limit in shadow is asked each time, whatever it said before")
{
    auto shadow = window("a", 1);
    shadow.enforce = enforcement::shadow;
    auto const b = window("b", 5);
    front_test test;
    for (int i = 0; i < 4; ++i) {
        test.ask({claim_of(shadow, "x"), claim_of(b, "x")});
        test.answer_one();
        CHECK(test.said(static_cast<std::size_t>(i)).allowed);
    }
    CHECK(test.behind.times.size() == 4);
}

TEST_CASE("one connection uses all of a sharded limit, and is refused only when every shard has refused")
{
    auto const limit = sharded("a", 10, 4); // 3 + 3 + 2 + 2
    front_test test;
    for (std::size_t i = 0; i < 10; ++i) {
        test.ask({in_shard(limit, 1)});
        test.answer_all();
        CAPTURE(i);
        CHECK(test.said(i).allowed);
    }
    test.ask({in_shard(limit, 1)});
    test.answer_all();
    CHECK_FALSE(test.said(10).allowed);
    auto const calls = test.behind.times.size();
    test.ask({in_shard(limit, 2)});
    CHECK(test.behind.times.size() == calls);
    CHECK_FALSE(test.said(11).allowed);
    CHECK(test.from_memory("a") == 1);
}

TEST_CASE("a sharded limit is not tried elsewhere when another limit refuses as well")
{
    auto const limit = sharded("a", 4, 4);
    auto const plain = window("b", 1);
    front_test test;
    test.ask({in_shard(limit, 0), claim_of(plain, "x")});
    test.answer_all();
    test.ask({in_shard(limit, 0), claim_of(plain, "x")});
    test.answer_all();
    CHECK_FALSE(test.said(1).allowed);
    CHECK(test.behind.times.size() == 2);
}

TEST_CASE("requests alike that wait on one key share the next call, and are answered as if each had asked")
{
    auto const limit = window("a", 100);
    front_test test;
    for (int i = 0; i < 6; ++i) test.ask({claim_of(limit, "x", 3)});
    CHECK(test.behind.times == std::vector<std::uint32_t>{1});
    test.answer_one();
    CHECK(test.behind.times == std::vector<std::uint32_t>{1, 5});
    test.answer_one();
    for (std::size_t i = 0; i < 6; ++i) {
        CAPTURE(i);
        CHECK(test.said(i).allowed);
        CHECK(test.said(i).granted == 1);
        CHECK(test.said(i).decisions[0].remaining == 97 - 3 * static_cast<std::int64_t>(i));
    }
    test.ask({claim_of(limit, "x", 3)});
    CHECK(test.behind.times.back() == 1);
    test.answer_all();
}

TEST_CASE(
    "of requests that share a call as many pass as there are permits, the oldest first, and the rest know how long to wait")
{
    auto const limit = window("a", 4);
    front_test test;
    for (int i = 0; i < 8; ++i) test.ask({claim_of(limit, "x")});
    test.answer_all();
    for (std::size_t i = 0; i < 8; ++i) {
        CAPTURE(i);
        CHECK(test.said(i).allowed == (i < 4));
        if (i >= 4) CHECK(test.said(i).decisions[0].retry_after > 59min);
    }
    CHECK(test.behind.times == std::vector<std::uint32_t>{1, 7, 4});
}

TEST_CASE("whoever waits behind a call that is refused is refused with it")
{
    auto const limit = window("a", 1);
    front_test test;
    test.ask({claim_of(limit, "x")});
    test.answer_one();
    for (int i = 0; i < 5; ++i) test.ask({claim_of(limit, "x")});
    test.answer_one();
    for (std::size_t i = 1; i < 6; ++i) CHECK_FALSE(test.said(i).allowed);
    CHECK(test.behind.times.size() == 2);
    CHECK(test.from_memory("a") == 4);
}

TEST_CASE("requests that differ in anything do not share a call")
{
    auto const a = window("a", 100);
    auto const b = window("b", 100);
    auto queued = window("q", 100);
    queued.queue.limit = 5;
    auto shadow = window("s", 100);
    shadow.enforce = enforcement::shadow;
    auto const shards = sharded("h", 100, 2);
    auto const held = policy_of("c", concurrency{.limit = 100});
    struct row {
        std::string name;
        claims first;
        claims second;
    };
    std::vector<row> const rows{{"key", {claim_of(a, "x")}, {claim_of(a, "y")}},
                                {"cost", {claim_of(a, "x", 1)}, {claim_of(a, "x", 2)}},
                                {"several limits", {claim_of(a, "x"), claim_of(b, "x")}, {claim_of(a, "x"), claim_of(b, "x")}},
                                {"only looking", {claim_of(a, "x", 0)}, {claim_of(a, "x", 0)}},
                                {"queued", {claim_of(queued, "x")}, {claim_of(queued, "x")}},
                                {"shadow", {claim_of(shadow, "x")}, {claim_of(shadow, "x")}},
                                {"sharded", {in_shard(shards, 0)}, {in_shard(shards, 0)}},
                                {"concurrency", {claim_of(held, "x")}, {claim_of(held, "x")}}};
    for (auto const& [name, first, second] : rows) {
        CAPTURE(name);
        front_test test;
        test.ask(first);
        test.ask(second);
        CHECK(test.behind.held.size() == 2);
        test.answer_all();
    }
}

TEST_CASE("an error is everybody's who went with the call; who waits asks again, unless its deadline has passed")
{
    auto const limit = window("a", 100);
    front_test test;
    auto const soon = base::clock::now() - 1us; // is over when the first call ends
    test.ask({claim_of(limit, "x")}, soon);
    test.ask({claim_of(limit, "x")}, soon);
    test.ask({claim_of(limit, "x")});
    test.ask({claim_of(limit, "x")});
    test.behind.fails = errc::timed_out;
    test.answer_one();
    CHECK(test.answers[0]->error() == errc::timed_out);
    CHECK(test.answers[1]->error() == errc::timed_out);
    CHECK(test.behind.times == std::vector<std::uint32_t>{1, 2});
    test.behind.fails = errc::breaker_open;
    test.answer_one();
    CHECK(test.answers[2]->error() == errc::breaker_open);
    CHECK(test.answers[3]->error() == errc::breaker_open);
    test.behind.fails.reset();
    test.ask({claim_of(limit, "x")});
    test.answer_one();
    CHECK(test.said(4).allowed);
}

TEST_CASE("once the breaker is open nobody waits behind a call under way, neither who comes now nor who waits there already")
{
    auto const limit = window("a", 100);
    front_test test;
    test.ask({claim_of(limit, "x")});
    test.ask({claim_of(limit, "y")});
    test.ask({claim_of(limit, "y")});
    test.ask({claim_of(limit, "y")});
    CHECK(test.behind.times.size() == 2);
    test.behind.fails = errc::timed_out;
    test.behind.open = true;
    test.answer_one(); // the failure that has opened it
    CHECK(test.behind.times == std::vector<std::uint32_t>{1, 1, 1, 1});
    test.ask({claim_of(limit, "y")});
    CHECK(test.behind.times.size() == 5);
    test.answer_all();
    for (auto const& each : test.answers) CHECK(each->error() == errc::timed_out);
    test.behind.open = false;
    test.behind.fails.reset();
    test.ask({claim_of(limit, "y")});
    test.ask({claim_of(limit, "y")});
    CHECK(test.behind.times.size() == 6); // and behind one that may be answered they wait again
    test.answer_all();
    CHECK(test.said(6).allowed);
}

TEST_CASE("who has less time than the call under way asks alone; a shared call ends with the first deadline of its requests")
{
    auto const limit = window("a", 100);
    auto const later = base::clock::now() + 1h;
    front_test test;
    test.ask({claim_of(limit, "x")}, later);
    test.ask({claim_of(limit, "x")}, later - 1us);
    CHECK(test.behind.times.size() == 2);
    test.ask({claim_of(limit, "x")}, later + 2us);
    test.ask({claim_of(limit, "x")}, later + 1us);
    CHECK(test.behind.times.size() == 2);
    test.answer_one();
    CHECK(test.behind.deadlines.back() == later + 1us);
    test.answer_all();
}

TEST_CASE("what a sharded limit charged is given back to the shard that was charged")
{
    auto const limit = sharded("a", 4, 4);
    front_test test;
    for (int i = 0; i < 2; ++i) {
        test.ask({in_shard(limit, static_cast<unsigned>(i))});
        test.answer_all();
    }
    auto const& third = test.admit({in_shard(limit, 0)});
    test.answer_all();
    REQUIRE(third.gate.verdict == admission_ruling::kind::admitted);
    give_back(test.from, third.asked, third.gate, extent::everything);
    CHECK(test.behind.given_back == std::vector<std::string>{std::string(in_shard(limit, 2).key.view())});

    // The first shards are known to refuse: the next request begins elsewhere, and gives back there.
    auto const& fourth = test.admit({in_shard(limit, 0)});
    test.answer_all();
    REQUIRE(fourth.gate.verdict == admission_ruling::kind::admitted);
    give_back(test.from, fourth.asked, fourth.gate, extent::everything);
    CHECK(test.behind.given_back.back() == in_shard(limit, 3).key.view());
}

TEST_CASE("what is given back goes to the store")
{
    auto const limit = window("a", 100);
    front_test test;
    auto const asked = claim_of(limit, "x");
    test.front.give_back(asked, {});
    CHECK(test.behind.given_back == std::vector<std::string>{std::string(asked.key.view())});
}

} // namespace penstock::limiter::tests
