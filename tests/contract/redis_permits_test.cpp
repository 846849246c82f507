// Concurrency permits held in a real Redis: given back exactly once however things end, renewed while they live, announced
// again where Redis or the connection has lost them, free within five seconds when their holder dies.
#include "limiter/admission.hpp"
#include "limiter/redis/redis_store.hpp"
#include "tests/contract/redis_worker.hpp"

#include <doctest/doctest.h>

#include <boost/asio/steady_timer.hpp>

namespace penstock::tests {
namespace {

using namespace std::chrono_literals;

constexpr auto key = "rl:{everyone}:database:cc";

struct permits : one_claim {
    explicit permits(std::int64_t limit, std::int64_t cost = 1) : one_claim{limiter::concurrency{limit}, key, cost} {}
};

// Two workers of the fleet: one that holds permits, one that looks at what is left.
struct fixture {
    redis_server server;
    redis_worker worker{settings_for(server)};
    redis_worker other{settings_for(server)};
    permits const one{3};

    fixture()
    {
        worker.until_up();
        other.until_up();
    }
    bool take(redis_worker& by) const { return by.ask(one.view())->allowed; }
    void give_back(redis_worker& by, int count = 1) const
    {
        for (int i = 0; i < count; ++i) by.store().give_back(one.claim, {.cost = 1, .at = base::clock::now()});
    }
    // As the other worker sees it; -1: Redis cannot be asked just now.
    std::int64_t free()
    {
        permits const look{3, 0};
        auto const answer = other.ask(look.view());
        return answer ? answer->decisions[0].remaining : -1;
    }
    void until_free(std::int64_t count)
    {
        worker.run_until([&] { return free() == count; });
    }
    [[nodiscard]] bool key_exists() const { return server.command({"EXISTS", key}) == "1"; }
    void kill_connections() const { server.command({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"}); }
};

} // namespace

TEST_CASE_FIXTURE(fixture, "the whole limit can be held, no more, and what was given back can be held again")
{
    CHECK(take(worker));
    CHECK(take(other));
    CHECK(take(worker));
    CHECK_FALSE(take(worker));
    CHECK_FALSE(take(other));
    give_back(worker);
    until_free(1);
    CHECK(take(other));
    CHECK_FALSE(take(other));
    give_back(worker);
    give_back(other, 2);
    until_free(3);
    worker.run_until([&] { return !key_exists(); });
}

TEST_CASE_FIXTURE(fixture, "permits live by renewal, one call each, for as long as their request does")
{
    REQUIRE(take(worker));
    server.command({"CONFIG", "RESETSTAT"});
    auto const until = base::clock::now() + 6s; // longer than permits last that nobody renews
    worker.run_until([&] { return base::clock::now() > until; });
    CHECK(free() == 2);
    auto const calls = server.calls("evalsha");
    CHECK(calls >= 4);
    CHECK(calls <= 6);
    give_back(worker);
    until_free(3);
}

TEST_CASE_FIXTURE(fixture, "a connection that is lost loses nobody's permit, and keeps none")
{
    for (int round = 0; round < 5; ++round) {
        CAPTURE(round);
        REQUIRE(take(worker));
        REQUIRE(take(worker));
        auto const connects = worker.store().count().connects;
        kill_connections();
        if (round % 2 == 0) give_back(worker); // before it notices
        worker.run_until([&] { return !worker.store().count().up; });
        if (round % 2 == 1) give_back(worker); // without a connection
        worker.run_until([&] { return worker.store().count().connects > connects; });
        other.until_up();
        // At once, not when the permits of the old connection have lapsed.
        until_free(2);
        give_back(worker);
        until_free(3);
    }
}

TEST_CASE_FIXTURE(fixture, "a Redis that comes back empty is told what is held")
{
    REQUIRE(take(worker));
    REQUIRE(take(worker));
    server.kill();
    server.restart();
    worker.until_up();
    other.until_up();
    until_free(1);
    server.command({"FLUSHALL"}); // on the same connection: with the next renewal
    CHECK(free() == 3);
    until_free(1);
    server.command({"FLUSHALL"});
    give_back(worker); // of what Redis does not know; the next renewal tells the rest
    until_free(2);
    server.command({"FLUSHALL"});
    REQUIRE(take(worker)); // tells the rest with it
    CHECK(free() == 1);
    give_back(worker, 2);
    until_free(3);
}

TEST_CASE_FIXTURE(fixture, "an unknown script changes no count")
{
    REQUIRE(take(worker));
    REQUIRE(take(worker));
    for (int round = 0; round < 3; ++round) {
        server.command({"SCRIPT", "FLUSH"});
        give_back(worker);
        REQUIRE(take(worker));
        CHECK(free() == 1);
    }
    server.command({"SCRIPT", "FLUSH"});
    give_back(worker, 2);
    until_free(3);
    CHECK(server.calls("eval") >= 4);
}

TEST_CASE("what was granted to a request that no longer waited is given back at once")
{
    redis_server server;
    auto wanted = settings_for(server);
    wanted.check_timeout = 50ms;
    wanted.connect_timeout = 10s; // the connection stays
    redis_worker worker(wanted);
    worker.until_up();
    permits const one{3};
    one_claim const bucket{*limiter::make_token_bucket(10, 1, 1h), "rl:{everyone}:rate:tb"};
    limiter::claims const both{bucket.claim, one.claim};
    REQUIRE(worker.ask(both)->allowed);
    server.pause();
    for (auto const& answer : worker.ask_together({both, one.view(), both})) CHECK(answer.error() == limiter::errc::timed_out);
    server.resume();
    permits const look{3, 0};
    worker.run_until([&] {
        auto const answer = worker.ask(look.view());
        return answer && answer->decisions[0].remaining == 2; // the first one's only
    });
    CHECK(worker.store().count().connects == 1);
    worker.store().give_back(one.claim, {.cost = 1});
    worker.run_until([&] { return server.command({"EXISTS", key}) == "0"; });
}

TEST_CASE_FIXTURE(fixture, "what a full Redis does not take back is told again")
{
    REQUIRE(take(worker));
    REQUIRE(take(worker));
    server.command({"CONFIG", "SET", "maxmemory", "1"});
    give_back(worker);
    worker.run_until([&] { return worker.store().count().errors[static_cast<std::size_t>(limiter::errc::out_of_memory)] > 0; });
    CHECK(worker.store().count().breaker_state == 0); // a background call is no check
    server.command({"CONFIG", "SET", "maxmemory", "0"});
    until_free(2);
    give_back(worker);
    until_free(3);
}

TEST_CASE("five seconds after its holder's last word, and not before, a permit is free")
{
    redis_server const server;
    auto clock = base::clock::now(); // near Redis' own, by which keys expire
    auto wanted = settings_for(server);
    wanted.test_clock = &clock;
    redis_worker other(wanted);
    other.until_up();
    permits const one{1};
    {
        redis_worker worker(wanted);
        worker.until_up();
        REQUIRE(worker.ask(one.view())->allowed);
    }
    clock += 5s - 1us;
    CHECK_FALSE(other.ask(one.view())->allowed);
    clock += 1us;
    CHECK(other.ask(one.view())->allowed);
}

TEST_CASE_FIXTURE(fixture, "a charge of any other limit is given back too")
{
    for (auto const& limit : {limiter::algorithm{*limiter::make_token_bucket(10, 1, 1h)},
                              limiter::algorithm{*limiter::make_fixed_window(10, 1h)}}) {
        one_claim const four{limit, "rl:{x}:" + limiter::tag_of(limit), 4};
        auto const answer = worker.ask(four.view());
        REQUIRE(answer->decisions[0].remaining == 6);
        worker.store().give_back(four.claim, {.cost = 4, .at = answer->now, .reset_after = answer->decisions[0].reset_after});
        one_claim const look{limit, "rl:{x}:" + limiter::tag_of(limit), 0};
        worker.run_until([&] { return worker.ask(look.view())->decisions[0].remaining == 10; });
    }
}

TEST_CASE_FIXTURE(fixture, "a background call is told its reply, or why there is none; after the end, nothing")
{
    using limiter::redis::reply;
    int told = 0;
    base::result<reply> last{limiter::errc::protocol};
    auto const call = [&](std::string arguments) {
        worker.store().call({.what = &limiter::redis::scripts::acquire,
                             .key = "rl:{x}:call",
                             .arguments = std::move(arguments),
                             .done = [&](base::result<reply> const& answer) {
                                 ++told;
                                 last = answer;
                             }});
    };
    call(limiter::redis::pack_permits(5, {1, 0}, 2));
    CHECK(told == 0);
    worker.run_until([&] { return told == 1; });
    CHECK(last.has_value());
    for (int i = 0; i < 20; ++i) call("too short");
    worker.run_until([&] { return told == 21; });
    CHECK(last.error() == limiter::errc::script);
    CHECK(worker.store().count().errors[static_cast<std::size_t>(limiter::errc::script)] == 20);
    CHECK(worker.store().count().breaker_state == 0);
    server.kill();
    worker.run_until([&] { return !worker.store().count().up; });
    call({});
    CHECK(told == 21);
    worker.run_until([&] { return told == 22; });
    CHECK(last.error() == limiter::errc::not_connected);
    call({});
    worker.store().stop();
    call({});
    worker.io().restart();
    worker.io().poll();
    CHECK(told == 22);
}

TEST_CASE("more permits than fit at once are renewed all the same")
{
    redis_server const server;
    auto wanted = settings_for(server);
    wanted.max_pending = 8;
    redis_worker worker(wanted);
    worker.until_up();
    std::vector<std::unique_ptr<one_claim>> held;
    for (int i = 0; i < 200; ++i) {
        held.push_back(std::make_unique<one_claim>(limiter::concurrency{1}, "rl:{x}:" + std::to_string(i)));
        REQUIRE(worker.ask(held.back()->view())->allowed);
    }
    server.command({"FLUSHALL"});
    worker.run_until([&] { return server.command({"DBSIZE"}) == "200"; });
    for (auto const& each : held) worker.store().give_back(each->claim, {.cost = 1});
    worker.run_until([&] { return server.command({"DBSIZE"}) == "0"; });
    CHECK(worker.store().count().errors[static_cast<std::size_t>(limiter::errc::overloaded)] == 0);
}

TEST_CASE("an admission may outlive the end of its store, and the end of the loop")
{
    redis_server const server;
    limiter::memory_store memory{{}};
    limiter::stand_in local{memory};
    for (bool const stopped : {true, false}) {
        CAPTURE(stopped);
        boost::asio::io_context loop;
        auto store = std::make_shared<limiter::redis_store>(loop, settings_for(server), 1, nullptr);
        auto until_held = false;
        // As an exchange does: everything that it needs lives on its frame, the store among it.
        auto exchange = [](std::shared_ptr<limiter::redis_store> fleet, limiter::memory_store& near, limiter::stand_in& instead,
                           bool& held) -> boost::asio::awaitable<void> {
            permits one{3};
            one.policy.scope = limiter::scope::fleet;
            limiter::stores const from{near, fleet.get(), nullptr, &instead};
            limiter::admission_ruling gate;
            auto const executor = co_await boost::asio::this_coro::executor;
            boost::asio::steady_timer forever(executor);
            while (!fleet->count().up) {
                forever.expires_after(1ms);
                co_await forever.async_wait(boost::asio::use_awaitable);
            }
            co_await limiter::acquire(from, one.view(), base::instant::max(), gate);
            limiter::admission const admitted(from, one.view(), gate);
            held = gate.rulings[0].by == limiter::answerer::fleet;
            forever.expires_at(std::chrono::steady_clock::time_point::max());
            co_await forever.async_wait(boost::asio::use_awaitable);
        };
        boost::asio::co_spawn(loop, exchange(store, memory, local, until_held), [](std::exception_ptr) {});
        auto const limit = base::clock::now() + 10s;
        while (!until_held && base::clock::now() < limit) loop.run_one_for(20ms);
        CHECK(until_held);
        if (stopped) store->stop();
        store.reset();
    } // the loop ends, and with it the exchange
}

TEST_CASE_FIXTURE(fixture, "an open breaker keeps permits from Redis, and what lives then is announced when it closes")
{
    auto wanted = settings_for(server);
    wanted.breaker = {.failures = 1, .open_for = 60s, .open_for_max = 60s};
    redis_worker refused{wanted};
    refused.until_up();
    REQUIRE(take(refused));
    server.command({"ACL", "SETUSER", "default", "-evalsha"});
    CHECK_FALSE(refused.ask(one.view()).has_value());
    REQUIRE(refused.store().count().breaker_state != 0);
    auto const commands = refused.store().count().commands;
    for (int i = 0; i < 100; ++i) {
        permits const elsewhere{3};
        auto claim = elsewhere.claim;
        claim.key.append(std::to_string(i));
        refused.store().hold(claim);
        refused.store().give_back(claim, {.cost = 1, .at = base::clock::now()});
    }
    refused.store().hold(one.claim);
    give_back(refused);
    refused.store().hold(one.claim);
    boost::asio::steady_timer renewals(refused.io());
    auto over = false;
    renewals.expires_after(2s);
    renewals.async_wait([&](auto const&) { over = true; });
    refused.run_until([&] { return over; });
    CHECK(refused.store().count().commands == commands);
    server.command({"ACL", "SETUSER", "default", "+evalsha"});
    kill_connections(); // a new one is probed at once
    refused.run_until([&] { return free() == 1; });
    give_back(refused, 2);
    refused.run_until([&] { return free() == 3; });
}

} // namespace penstock::tests
