// Every error by which a real redis-server says that it does not serve (design.md section 7): what it counts as, whether it
// opens the breaker, and that service returns by itself.
#include "tests/contract/redis_worker.hpp"

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

namespace penstock::tests {
namespace {

using namespace std::chrono_literals;
using limiter::errc;

limiter::algorithm bucket() { return *limiter::make_token_bucket(100'000, 1, 1h); }

// Long for a check, so that a busy machine's delay is not taken for the error; short for a breaker.
limiter::redis_settings patient(redis_server const& server)
{
    auto wanted = settings_for(server);
    wanted.breaker = {.failures = 3, .open_for = 20ms, .open_for_max = 100ms};
    return wanted;
}

std::uint64_t errors_of(redis_worker& worker, errc what)
{
    return worker.store().count().errors[static_cast<std::size_t>(what)];
}

// A server that is asked for its commands is in the state in between; so the breaker may have closed and opened again.
void until_counted(redis_worker& worker, one_claim const& one, errc what)
{
    auto const before = errors_of(worker, what);
    worker.run_until([&] {
        static_cast<void>(worker.ask(one.view()));
        return errors_of(worker, what) > before;
    });
}

std::size_t lines_with(redis_worker& worker, std::string const& part)
{
    auto const& told = worker.told();
    return static_cast<std::size_t>(
        std::count_if(told.begin(), told.end(), [&](auto const& line) { return line.find(part) != std::string::npos; }));
}

} // namespace

TEST_CASE("a primary that does not serve: named, the breaker opens, service returns by itself")
{
    struct row {
        char const* name;
        errc expected;
        bool at_once; // one is enough for the breaker
        std::vector<std::vector<std::string>> breaks;
        std::vector<std::vector<std::string>> mends;
    };
    using words = std::vector<std::vector<std::string>>;
    for (auto const& row : {
             row{"OOM", errc::out_of_memory, false, words{{"CONFIG", "SET", "maxmemory", "1"}},
                 words{{"CONFIG", "SET", "maxmemory", "0"}}},
             row{"NOREPLICAS", errc::no_writes, false, words{{"CONFIG", "SET", "min-replicas-to-write", "1"}},
                 words{{"CONFIG", "SET", "min-replicas-to-write", "0"}}},
             row{"READONLY", errc::read_only, false, words{{"REPLICAOF", "127.0.0.1", "1"}}, words{{"REPLICAOF", "NO", "ONE"}}},
             row{"MASTERDOWN", errc::read_only, false,
                 words{{"CONFIG", "SET", "replica-serve-stale-data", "no"}, {"REPLICAOF", "127.0.0.1", "1"}},
                 words{{"REPLICAOF", "NO", "ONE"}}},
             row{"NOPERM", errc::refused_login, true, words{{"ACL", "SETUSER", "default", "-evalsha", "-eval"}},
                 words{{"ACL", "SETUSER", "default", "+@all"}}},
         }) {
        CAPTURE(row.name);
        redis_server const server;
        redis_worker worker(patient(server));
        worker.until_up();
        one_claim const one{bucket(), "rl:{x}:one"};
        REQUIRE(worker.ask(one.view())->allowed);

        for (auto const& command : row.breaks) REQUIRE(server.command(command) == "OK");
        CHECK(worker.ask(one.view()).error() == row.expected);
        if (row.at_once) CHECK(worker.store().count().breaker_state != 0);
        worker.run_until([&] {
            static_cast<void>(worker.ask(one.view()));
            return worker.store().count().breaker_state != 0;
        });
        CHECK(lines_with(worker, "breaker open") == 1);
        // Probes go on meanwhile, and tell nothing.
        auto const failed = errors_of(worker, row.expected);
        worker.run_until([&] { return errors_of(worker, row.expected) >= failed + 3; });
        CHECK(worker.told().size() <= 3); // connected, breaker open, and where the connection is dropped, that
        CHECK(worker.store().count().trouble.empty() == false);

        for (auto const& command : row.mends) REQUIRE(server.command(command) == "OK");
        worker.run_until([&] { return worker.ask(one.view()).has_value(); });
        CHECK(lines_with(worker, "breaker closed") == 1);
        CHECK(worker.store().count().trouble.empty());
    }
}

TEST_CASE("MISCONF: a server that cannot save and therefore does not write")
{
    redis_server const server({"--save", "3600 1000000", "--dbfilename", "taken"});
    std::filesystem::create_directory(std::filesystem::path(server.unix_path()).parent_path() / "taken");
    redis_worker worker(patient(server));
    worker.until_up();
    one_claim const one{bucket(), "rl:{x}:one"};
    REQUIRE(worker.ask(one.view())->allowed);
    server.command({"BGSAVE"});
    until_counted(worker, one, errc::no_writes);
    server.command({"CONFIG", "SET", "stop-writes-on-bgsave-error", "no"});
    worker.run_until([&] { return worker.ask(one.view()).has_value(); });
}

TEST_CASE("BUSY: a script that does not end; nobody of ours kills it")
{
    redis_server const server({"--lua-time-limit", "50"});
    auto wanted = patient(server);
    wanted.check_timeout = 300ms;
    redis_worker worker(wanted);
    worker.until_up();
    one_claim const one{bucket(), "rl:{x}:one"};
    worker.run_until([&] { return worker.ask(one.view()).has_value(); });
    boost::asio::io_context io;
    boost::asio::local::stream_protocol::socket other(io);
    other.connect({server.unix_path()});
    boost::asio::write(other, boost::asio::buffer(std::string("EVAL 'while true do end' 0\r\n")));
    until_counted(worker, one, errc::busy);
    CHECK(server.command({"SCRIPT", "KILL"}) == "OK");
    worker.run_until([&] { return worker.ask(one.view()).has_value(); });
}

TEST_CASE("LOADING opens the breaker at once, and is over when the data is there")
{
    redis_server server({"--key-load-delay", "500", "--loading-process-events-interval-bytes", "1024", "--dbfilename", "kept"});
    server.command({"EVAL", "for i = 1, 2000 do redis.call('SET', 'k' .. i, string.rep('x', 100)) end return 1", "0"});
    REQUIRE(server.command({"SAVE"}) == "OK");
    redis_worker worker(patient(server));
    worker.until_up();
    one_claim const one{bucket(), "rl:{x}:one"};
    REQUIRE(worker.ask(one.view())->allowed);
    server.restart();
    worker.run_until([&] { return errors_of(worker, errc::loading) >= 1; });
    CHECK(worker.store().count().breaker_state != 0);
    CHECK(worker.ask(one.view()).error() == errc::breaker_open);
    worker.until_up();
    worker.run_until([&] { return worker.ask(one.view()).has_value(); });
    CHECK(lines_with(worker, "breaker open: loading: LOADING") == 1);
}

TEST_CASE("no connection left: the error is named, and a place that gets free is taken")
{
    redis_server const server;
    boost::asio::io_context io;
    boost::asio::local::stream_protocol::socket last(io);
    last.connect({server.unix_path()});
    REQUIRE(server.command({"CONFIG", "SET", "maxclients", "1"}) == "OK");
    redis_worker worker(patient(server));
    worker.run_until([&] { return errors_of(worker, errc::too_many_clients) >= 1; });
    CHECK_FALSE(worker.store().count().up);
    last.close();
    worker.until_up();
    one_claim const one{bucket(), "rl:{x}:one"};
    worker.run_until([&] { return worker.ask(one.view()).has_value(); });
}

TEST_CASE("a refused login: named once, tried again in ever longer pauses, taken when it is right")
{
    for (auto const* const password : {"", "wrong"}) {
        CAPTURE(password);
        redis_server const server({"--requirepass", "right"});
        auto wanted = patient(server);
        wanted.password = password;
        redis_worker worker(wanted);
        worker.run_until([&] { return errors_of(worker, errc::refused_login) >= 4; });
        one_claim const one{bucket(), "rl:{x}:one"};
        CHECK(worker.ask(one.view()).error() == errc::breaker_open);
        CHECK(worker.told().size() == 2); // cannot use, breaker open
        CHECK(lines_with(worker, *password == '\0' ? "NOAUTH" : "WRONGPASS") == 2);
        CHECK(lines_with(worker, "right") == 0);
    }
}

TEST_CASE("a password that changes is read again where it came from")
{
    redis_server const server({"--user", "gate", "on", ">old", "~*", "+@all"});
    auto const file = std::filesystem::path(server.unix_path()).parent_path() / "password";
    auto const write = [&](std::string const& text) { std::ofstream(file) << text << '\n'; };
    write("old");
    auto wanted = patient(server);
    wanted.user = "gate";
    wanted.password = "old";
    wanted.password_file = file.string();
    redis_worker worker(wanted);
    worker.until_up();
    write("new");
    server.command({"ACL", "SETUSER", "gate", "resetpass", ">new"});
    server.command({"CLIENT", "KILL", "TYPE", "normal"});
    worker.run_until([&] { return errors_of(worker, errc::refused_login) >= 1; });
    worker.until_up();
    one_claim const one{bucket(), "rl:{x}:one"};
    CHECK(worker.ask(one.view())->allowed);
}

TEST_CASE("a key of another type is an untouched counter, not an error")
{
    redis_server const server;
    redis_worker worker(patient(server));
    worker.until_up();
    one_claim const one{bucket(), "rl:{x}:one"};
    server.command({"LPUSH", "rl:{x}:one", "a"});
    CHECK(worker.ask(one.view())->decisions[0].remaining == 99'999);
    CHECK(server.command({"TYPE", "rl:{x}:one"}) == "string");
}

TEST_CASE("an error inside the script is that request's: others are asked all the same, and it is said once")
{
    redis_server const server({"--rename-command", "SET", "NOBODYS"});
    redis_worker worker(patient(server));
    worker.until_up();
    one_claim const one{bucket(), "rl:{x}:one"};
    one_claim const look{bucket(), "rl:{x}:one", 0};
    for (int i = 0; i < 10; ++i) CHECK(worker.ask(one.view()).error() == errc::script);
    CHECK(worker.ask(look.view())->allowed); // writes nothing
    CHECK(worker.store().count().breaker_state == 0);
    CHECK(worker.told().size() == 2); // connected, and that calls fail
}

} // namespace penstock::tests
