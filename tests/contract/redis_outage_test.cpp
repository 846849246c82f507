// What a failing Redis costs: no request waits longer than its deadline, service returns by itself, nonsense is not believed.
#include "tests/contract/redis_fake_server.hpp"
#include "tests/contract/redis_worker.hpp"

#include <doctest/doctest.h>

namespace penstock::tests {
namespace {

using namespace std::chrono_literals;
using limiter::errc;

// How much later than its deadline a waiter may run on a machine that does other things too.
constexpr auto slack = 2s;

limiter::algorithm bucket(std::int64_t capacity) { return *limiter::make_token_bucket(capacity, 1, 1h); }

limiter::redis_settings impatient(redis_server const& server)
{
    auto wanted = settings_for(server);
    wanted.check_timeout = 100ms;
    wanted.connect_timeout = 1s;
    wanted.breaker = {.failures = 3, .open_for = 50ms, .open_for_max = 200ms};
    return wanted;
}

// A store whose Redis is the test's invention.
class invented_redis {
public:
    invented_redis(limiter::redis_settings wanted, redis_fake_server::script answers)
        : server_(worker_.io(), std::move(answers))
    {
        wanted.host = "127.0.0.1";
        wanted.port = server_.port();
        worker_.start(wanted);
    }
    redis_worker& worker() noexcept { return worker_; }

private:
    redis_worker worker_;
    redis_fake_server server_;
};

std::uint64_t errors_of(redis_worker& worker, errc what)
{
    return worker.store().count().errors[static_cast<std::size_t>(what)];
}

} // namespace

TEST_CASE("a Redis that stands still: timed out, then the breaker answers, then service returns by itself")
{
    redis_server server;
    redis_worker worker(impatient(server));
    worker.until_up();
    one_claim const one{bucket(1000), "rl:{x}:one"};
    REQUIRE(worker.ask(one.view())->allowed);

    server.pause();
    for (int i = 0; i < 3; ++i) {
        auto const asked_at = base::clock::now();
        CHECK(worker.ask(one.view()).error() == errc::timed_out);
        auto const waited = base::clock::now() - asked_at;
        CHECK(waited >= 100ms);
        CHECK(waited < 100ms + slack);
    }
    CHECK(worker.store().count().breaker_state != 0);
    auto const asked_at = base::clock::now();
    CHECK(worker.ask(one.view()).error() == errc::breaker_open);
    CHECK(base::clock::now() - asked_at < slack);
    CHECK(worker.was_told("breaker open: timed_out"));

    server.resume();
    worker.until_up();
    CHECK(worker.was_told("breaker closed"));
    // Late replies went to nobody: the answer is ours, and the checks that timed out were charged all the same.
    auto const answer = worker.ask(one.view());
    REQUIRE(answer.has_value());
    CHECK(answer->decisions[0].remaining <= 1000 - 2);
    CHECK(answer->decisions[0].remaining >= 1000 - 5);
}

TEST_CASE("a worker that hears of another's success does not sit its pause out")
{
    redis_server const server;
    auto wanted = settings_for(server);
    wanted.breaker = {.failures = 1, .open_for = 60s, .open_for_max = 60s}; // far longer than a test waits
    redis_worker worker(wanted);
    worker.until_up();
    one_claim const one{bucket(1000), "rl:{x}:one"};
    server.command({"CONFIG", "SET", "maxmemory", "1"});
    REQUIRE(worker.ask(one.view()).error() == errc::out_of_memory);
    worker.store().try_at_once(); // said of a server that another worker found well, and that is not: it stays open
    worker.run_until([&] { return errors_of(worker, errc::out_of_memory) >= 2; });
    CHECK(worker.store().count().breaker_state != 0);

    server.command({"CONFIG", "SET", "maxmemory", "0"});
    worker.store().try_at_once();
    worker.until_up();
    CHECK(worker.ask(one.view()).has_value());
}

TEST_CASE("CLIENT PAUSE: late replies keep the stream aligned on the same connection")
{
    redis_server const server;
    auto wanted = impatient(server);
    wanted.breaker.failures = 100;
    redis_worker worker(wanted);
    worker.until_up();
    one_claim const one{bucket(1000), "rl:{x}:one"};
    one_claim const two{bucket(77), "rl:{x}:two"};
    worker.run_until([&] { return worker.ask(one.view()).has_value(); }); // a busy machine may miss a deadline
    server.command({"CLIENT", "PAUSE", "400", "ALL"});
    for (int i = 0; i < 3; ++i) CHECK(worker.ask(one.view()).error() == errc::timed_out);
    redis_worker::answer answer{errc::protocol};
    worker.run_until([&] {
        answer = worker.ask(two.view());
        return answer.has_value();
    });
    CHECK(answer->decisions[0].remaining >= 77 - 5);
    CHECK(answer->decisions[0].remaining < 77);
    CHECK(worker.store().count().connects == 1);
}

TEST_CASE("a request's own deadline may be shorter than the check time-out")
{
    redis_server server;
    auto wanted = settings_for(server);
    redis_worker worker(wanted);
    worker.until_up();
    one_claim const one{bucket(1000), "rl:{x}:one"};
    server.pause();
    CHECK(worker.ask(one.view(), base::clock::now() + 30ms).error() == errc::timed_out);
    server.resume();
}

TEST_CASE("killed under load: everybody is answered at once, and it reconnects when Redis is back")
{
    redis_server server;
    redis_worker worker(impatient(server));
    worker.until_up();
    one_claim const one{bucket(100'000), "rl:{x}:one"};
    for (int round = 0; round < 3; ++round) {
        CAPTURE(round);
        REQUIRE(worker.ask(one.view())->allowed);
        server.kill();
        for (int i = 0; i < 50; ++i) {
            auto const asked_at = base::clock::now();
            auto const answer = worker.ask(one.view());
            CHECK_FALSE(answer.has_value());
            CHECK(base::clock::now() - asked_at < 100ms + slack);
        }
        CHECK_FALSE(worker.store().count().up);
        server.restart();
        worker.until_up();
        CHECK(worker.ask(one.view())->decisions[0].remaining == 99'999); // a fresh server: the script was sent again
    }
    CHECK(worker.store().count().connects == 4);
}

TEST_CASE("starting without Redis works; failing to connect is told once")
{
    redis_server server;
    server.kill();
    redis_worker worker(impatient(server));
    one_claim const one{bucket(10), "rl:{x}:one"};
    CHECK(worker.ask(one.view()).error() == errc::not_connected);
    worker.run_until([&] { return errors_of(worker, errc::not_connected) >= 6; });
    CHECK(worker.told().size() == 2); // cannot connect, breaker open
    server.restart();
    worker.until_up();
    CHECK(worker.ask(one.view())->allowed);
}

TEST_CASE("a full queue refuses at once")
{
    redis_server server;
    auto wanted = settings_for(server);
    wanted.max_pending = 4;
    wanted.check_timeout = 200ms;
    redis_worker worker(wanted);
    worker.until_up();
    one_claim const one{bucket(1000), "rl:{x}:one"};
    server.pause();
    auto const answers = worker.ask_together(std::vector<std::span<limiter::claim const>>(6, one.view()));
    CHECK(std::count_if(answers.begin(), answers.end(), [](auto const& a) { return a.error() == errc::overloaded; }) == 2);
    CHECK(std::count_if(answers.begin(), answers.end(), [](auto const& a) { return a.error() == errc::timed_out; }) == 4);
    server.resume();
}

TEST_CASE("what is no answer to what was asked drops the connection")
{
    struct row {
        char const* name;
        std::string answer;
        errc expected;
    };
    for (auto const& row : {
             row{"no RESP at all", "HTTP/1.1 400 Bad Request\r\n\r\n", errc::not_connected},
             row{"a status", "+OK\r\n", errc::protocol},
             row{"an integer", ":1\r\n", errc::protocol},
             row{"nothing", "$-1\r\n", errc::protocol},
             row{"an array", "*2\r\n:1\r\n:2\r\n", errc::protocol},
             row{"a bulk string too short", "$3\r\nabc\r\n", errc::protocol},
             row{"an endless one", "$100000000\r\n" + std::string(60'000, 'x'), errc::not_connected},
             row{"half a reply, then silence", "$48\r\nabc", errc::timed_out},
             row{"silence", "", errc::timed_out},
             row{"a half-closed socket", redis_fake_server::hang_up, errc::not_connected},
         }) {
        CAPTURE(row.name);
        limiter::redis_settings wanted;
        wanted.check_timeout = 200ms;
        wanted.connect_timeout = 200ms;
        invented_redis server(wanted, [&](std::string_view) { return row.answer; });
        auto& worker = server.worker();
        worker.until_up();
        one_claim const one{bucket(10), "rl:{x}:one"};
        auto const asked_at = base::clock::now();
        CHECK(worker.ask(one.view()).error() == row.expected);
        CHECK(base::clock::now() - asked_at < 200ms + slack);
        // It is dropped, at the latest when it has been silent for the connect time-out, and another one made.
        worker.run_until([&] { return worker.store().count().connects >= 2; });
    }
}

TEST_CASE("replies that nobody asked for drop the connection")
{
    limiter::redis_settings wanted;
    invented_redis server(wanted, [&](std::string_view) { return std::string("-ERR one\r\n-ERR two\r\n"); });
    server.worker().until_up();
    one_claim const one{bucket(10), "rl:{x}:one"};
    CHECK(server.worker().ask(one.view()).error() == errc::script);
    server.worker().run_until([&] { return server.worker().store().count().connects >= 2; });
}

TEST_CASE("errors of a Redis that does not serve are named, and a loading one opens the breaker at once")
{
    struct row {
        std::string answer;
        errc expected;
        bool opens;
    };
    for (auto const& row : {row{"-LOADING Redis is loading the dataset in memory\r\n", errc::loading, true},
                            row{"-BUSY Redis is busy running a script.\r\n", errc::busy, false},
                            row{"-CLUSTERDOWN The cluster is down\r\n", errc::cluster, false},
                            row{"-MASTERDOWN Link with MASTER is down\r\n", errc::read_only, false},
                            row{"-ERR something new\r\n", errc::script, false}}) {
        CAPTURE(row.answer);
        limiter::redis_settings wanted;
        wanted.breaker = {.failures = 5, .open_for = 60s, .open_for_max = 60s};
        invented_redis server(wanted, [&](std::string_view) { return row.answer; });
        server.worker().until_up();
        one_claim const one{bucket(10), "rl:{x}:one"};
        CHECK(server.worker().ask(one.view()).error() == row.expected);
        CHECK((server.worker().store().count().breaker_state != 0) == row.opens);
    }
}

} // namespace penstock::tests
