// What redis_store does to a healthy Redis: all or nothing, one call and one connection, unknown scripts, logins.
#include "tests/contract/redis_worker.hpp"

#include <doctest/doctest.h>

#include <memory>

namespace penstock::tests {
namespace {

using namespace std::chrono_literals;

limiter::algorithm bucket(std::int64_t capacity) { return *limiter::make_token_bucket(capacity, 1, 1h); }

limiter::claims both(one_claim const& a, one_claim const& b) { return {a.claim, b.claim}; }

} // namespace

TEST_CASE("RL-77: 1,000 requests that one limit refuses leave the other byte for byte as it was, and write nothing")
{
    redis_server const server;
    redis_worker worker(settings_for(server));
    worker.until_up();
    one_claim const exhausted{bucket(1), "rl:{x}:exhausted"};
    for (auto const& other_limit : {bucket(1000), limiter::algorithm{*limiter::make_fixed_window(1000, 1h)}}) {
        server.command({"FLUSHALL"});
        one_claim const other{other_limit, "rl:{x}:other"};
        auto const asked = both(other, exhausted);
        REQUIRE(worker.ask(asked)->allowed);
        auto const before = server.command({"GET", "rl:{x}:other"});
        auto const expiry = server.command({"PEXPIRETIME", "rl:{x}:other"});
        server.command({"CONFIG", "RESETSTAT"});
        for (int i = 0; i < 1000; ++i) {
            auto const answer = worker.ask(asked);
            REQUIRE(answer.has_value());
            REQUIRE_FALSE(answer->allowed);
            CHECK(answer->decisions[0].allowed);
            CHECK(answer->decisions[0].remaining == 999);
            CHECK_FALSE(answer->decisions[1].allowed);
        }
        CHECK(server.command({"GET", "rl:{x}:other"}) == before);
        CHECK(server.command({"PEXPIRETIME", "rl:{x}:other"}) == expiry);
        CHECK(server.calls("set") == 0);
        CHECK(server.calls("incrby") == 0);
        CHECK(server.calls("evalsha") == 1000);
    }
}

TEST_CASE("one connection, one EVALSHA per request, and what is asked in one turn of the loop leaves in one write")
{
    redis_server const server;
    redis_worker worker(settings_for(server));
    worker.until_up();
    one_claim const one{bucket(10'000), "rl:{x}:one"};
    one_claim const two{*limiter::make_fixed_window(10'000, 1h), "rl:{x}:two"};
    auto const asked = both(one, two);
    REQUIRE(worker.ask(asked).has_value());
    server.command({"CONFIG", "RESETSTAT"});
    auto const reads_before = server.info("stats", "total_reads_processed");
    std::vector<std::span<limiter::claim const>> const all(100, asked);
    for (auto const& answer : worker.ask_together(all)) CHECK(answer->allowed);
    // One read brought the hundred, the rest are this test's own questions.
    CHECK(server.info("stats", "total_reads_processed") - reads_before <= 4);
    CHECK(server.calls("evalsha") == 100);
    CHECK(server.calls("eval") == 0);
    CHECK(server.calls("ping") == 0);
    CHECK(server.info("clients", "connected_clients") == 2); // the store's and the one that asks
    CHECK(worker.store().count().connects == 1);
    CHECK(worker.ask(asked)->decisions[0].remaining == 10'000 - 102);
}

TEST_CASE("an unknown script is sent once, in the same exchange, also when many meet it at once")
{
    redis_server const server;
    redis_worker worker(settings_for(server));
    worker.until_up();
    one_claim const one{bucket(10'000), "rl:{x}:one"};
    std::int64_t asked = 0;
    for (int flush = 0; flush < 3; ++flush) {
        server.command({"SCRIPT", "FLUSH"});
        server.command({"CONFIG", "RESETSTAT"});
        std::vector<std::span<limiter::claim const>> const all(50, one.view());
        for (auto const& answer : worker.ask_together(all)) REQUIRE(answer.has_value());
        asked += 50;
        CHECK(server.calls("eval") == 1);
    }
    CHECK(worker.ask(one.view())->decisions[0].remaining == 10'000 - asked - 1);
    CHECK(worker.store().count().breaker_state == 0);
}

TEST_CASE("every key expires on its own, after its state has")
{
    redis_server const server;
    redis_worker worker(settings_for(server));
    worker.until_up();
    one_claim const quick{*limiter::make_token_bucket(10, 10, 1s), "rl:{x}:bucket"};
    one_claim const window{*limiter::make_fixed_window(10, 2s), "rl:{x}:window"};
    auto const answer = worker.ask(both(quick, window));
    REQUIRE(answer.has_value());
    auto const now_ms = base::since_epoch_us(answer->now) / 1000;
    auto const bucket_ends = std::stoll(server.command({"PEXPIRETIME", "rl:{x}:bucket"}));
    CHECK(bucket_ends >= now_ms + 100);
    CHECK(bucket_ends <= now_ms + 100 + 4000);
    auto const window_ends = std::stoll(server.command({"PEXPIRETIME", "rl:{x}:window"}));
    CHECK(window_ends == now_ms + 2000);
    CHECK(server.command({"OBJECT", "ENCODING", "rl:{x}:bucket"}) == "int");
    CHECK(server.command({"OBJECT", "ENCODING", "rl:{x}:window"}) == "int");
}

TEST_CASE("by unix socket, into another database")
{
    redis_server const server;
    auto wanted = settings_for(server);
    wanted.host.clear();
    wanted.unix_path = server.unix_path();
    wanted.database = 3;
    redis_worker worker(wanted);
    worker.until_up();
    one_claim const one{bucket(5), "rl:{x}:one"};
    CHECK(worker.ask(one.view())->decisions[0].remaining == 4);
    CHECK(server.info("keyspace", "db3:keys") == 1);
}

TEST_CASE("with a password; a wrong one is told once and is no storm of tries")
{
    redis_server const server({"--requirepass", "secret"});
    auto wanted = settings_for(server);
    wanted.password = "secret";
    redis_worker right(wanted);
    right.until_up();
    one_claim const one{bucket(5), "rl:{x}:one"};
    CHECK(right.ask(one.view())->allowed);

    for (auto const* password : {"", "wrong"}) {
        CAPTURE(password);
        wanted.password = password;
        redis_worker refused(wanted);
        auto const index = static_cast<std::size_t>(limiter::errc::refused_login);
        refused.run_until([&] { return refused.store().count().errors[index] >= 3; });
        CHECK_FALSE(refused.store().count().up);
        CHECK_FALSE(refused.ask(one.view()).has_value());
        CHECK(refused.told().size() == 2); // that it cannot be used, that the breaker is open
        CHECK(refused.was_told(*password ? "WRONGPASS" : "NOAUTH"));
    }
}

TEST_CASE("the least rights of docs/redis.md are enough, and without EVALSHA it says so")
{
    redis_server const server;
    server.command({"ACL", "SETUSER", "gate", "on", ">secret", "~rl:*", "+ping", "+evalsha", "+eval", "+time", "+get", "+mget",
                    "+set", "+incrby", "+append", "+del"});
    auto wanted = settings_for(server);
    wanted.user = "gate";
    wanted.password = "secret";
    redis_worker worker(wanted);
    worker.until_up();
    one_claim const one{bucket(50), "rl:{x}:one"};
    one_claim const two{*limiter::make_fixed_window(50, 1h), "rl:{x}:two"};
    for (int i = 0; i < 3; ++i) CHECK(worker.ask(both(one, two)).has_value()); // starts a counter, then moves it
    CHECK(worker.ask(one.view()).has_value());

    server.command({"ACL", "SETUSER", "gate", "-evalsha"});
    auto const refused = worker.ask(one.view());
    CHECK(refused.error() == limiter::errc::refused_login);
    CHECK(worker.ask(one.view()).error() == limiter::errc::breaker_open);
    CHECK(worker.was_told("NOPERM"));
    server.command({"ACL", "SETUSER", "gate", "+evalsha"});
    worker.until_up();
    CHECK(worker.ask(one.view())->allowed);
}

TEST_CASE("full memory refuses what would write, and the probe notices when there is room again")
{
    redis_server const server;
    auto wanted = settings_for(server);
    wanted.breaker = {.failures = 2, .open_for = 20ms, .open_for_max = 50ms};
    redis_worker worker(wanted);
    worker.until_up();
    one_claim const one{bucket(50), "rl:{x}:one"};
    REQUIRE(worker.ask(one.view())->allowed);
    server.command({"CONFIG", "SET", "maxmemory", "1"});
    CHECK(worker.ask(one.view()).error() == limiter::errc::out_of_memory);
    CHECK(worker.ask(one.view()).error() == limiter::errc::out_of_memory);
    CHECK(worker.ask(one.view()).error() == limiter::errc::breaker_open);
    server.command({"CONFIG", "SET", "maxmemory", "0"});
    worker.until_up();
    CHECK(worker.ask(one.view())->decisions[0].remaining == 48);
}

TEST_CASE("a replica refuses to write: the connection is dropped and looked up again")
{
    redis_server const server;
    auto wanted = settings_for(server);
    wanted.breaker.failures = 100;
    redis_worker worker(wanted);
    worker.until_up();
    server.command({"CONFIG", "SET", "replica-read-only", "yes"});
    server.command({"REPLICAOF", "127.0.0.1", "1"});
    one_claim const one{bucket(50), "rl:{x}:one"};
    CHECK(worker.ask(one.view()).error() == limiter::errc::read_only);
    CHECK_FALSE(worker.store().count().up);
    server.command({"REPLICAOF", "NO", "ONE"});
    worker.until_up();
    CHECK(worker.ask(one.view())->allowed);
}

TEST_CASE("stop answers those who wait, and a store may be destroyed while they do")
{
    redis_server server;
    one_claim const one{bucket(50), "rl:{x}:one"};
    for (auto const how : {"stopped", "destroyed"}) {
        CAPTURE(how);
        auto worker = std::make_unique<redis_worker>(settings_for(server));
        worker->until_up();
        server.pause();
        std::vector<redis_worker::answer> answers;
        for (int i = 0; i < 3; ++i)
            worker->spawn(one.view(), base::instant::max(), [&](auto const& got) { answers.push_back(got); });
        worker->io().restart();
        worker->io().poll();
        CHECK(answers.empty());
        if (how == std::string("stopped")) {
            worker->store().stop();
            worker->run_until([&] { return answers.size() == 3; });
            CHECK(worker->told().size() == 1); // that it had connected
            // Nothing is left that would keep the loop of the worker.
            worker->io().restart();
            CHECK(worker->io().run_for(5s) < 100);
            CHECK(worker->io().stopped());
        } else {
            worker.reset();
        }
        CHECK(answers.size() == 3);
        for (auto const& answer : answers) CHECK(answer.error() == limiter::errc::not_connected);
        server.resume();
    }
}

} // namespace penstock::tests
