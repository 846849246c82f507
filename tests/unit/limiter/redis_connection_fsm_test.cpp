#include "limiter/redis/connection_fsm.hpp"

#include <doctest/doctest.h>

namespace penstock::limiter::redis {
namespace {

using state = connection_fsm::state;
using event = connection_fsm::event;
using verb = connection_fsm::action::verb;
using namespace std::chrono_literals;

constexpr base::micros time_out{250'000};
constexpr auto start = base::at_epoch_us(1'000'000'000);

// A machine that has been brought to `wanted` by a life without failures.
connection_fsm brought_to(state wanted)
{
    connection_fsm it({time_out}, 7);
    for (auto const what : {event::start, event::connected, event::welcome}) {
        if (it.now_in() == wanted) break;
        it.resume(what, start);
    }
    if (wanted == state::pausing) it.resume(event::broken, start);
    REQUIRE(it.now_in() == wanted);
    return it;
}

} // namespace

TEST_CASE("a life without failures: connect, greet, serve")
{
    connection_fsm it({time_out}, 7);
    auto const connect = it.resume(event::start, start);
    CHECK(connect.what == verb::connect);
    CHECK(connect.until == start + time_out);
    CHECK(it.resume(event::connected, start).what == verb::greet);
    CHECK(it.now_in() == state::greeting);
    CHECK(it.resume(event::welcome, start).what == verb::serve);
    CHECK(it.now_in() == state::ready);
}

TEST_CASE("a failure at any step pauses, and the pause ends in a new try")
{
    struct row {
        char const* name;
        state at;
        event what;
    };
    for (auto const& row :
         {row{"refused", state::connecting, event::broken}, row{"connect timed out", state::connecting, event::timer},
          row{"reset in the greeting", state::greeting, event::broken},
          row{"greeting timed out", state::greeting, event::timer}, row{"lost", state::ready, event::broken}}) {
        CAPTURE(row.name);
        auto it = brought_to(row.at);
        auto const pause = it.resume(row.what, start);
        CHECK(pause.what == verb::pause);
        CHECK(pause.until >= start + connection_fsm::shortest_pause);
        CHECK(pause.until <= start + connection_fsm::first_pause);
        CHECK(it.now_in() == state::pausing);
        CHECK(it.resume(event::timer, pause.until).what == verb::connect);
    }
}

TEST_CASE("pauses double up to the longest, each drawn at random")
{
    auto it = brought_to(state::connecting);
    auto most = connection_fsm::first_pause;
    auto now = start;
    for (int i = 0; i < 12; ++i) {
        auto const pause = it.resume(event::broken, now);
        CHECK(pause.until - now <= most);
        CHECK(pause.until - now >= connection_fsm::shortest_pause);
        most = std::min(2 * most, connection_fsm::longest_pause);
        now = pause.until;
        REQUIRE(it.resume(event::timer, now).what == verb::connect);
    }
    CHECK(most == connection_fsm::longest_pause);
}

TEST_CASE("a server that answers but does not serve yet is tried once a second at least, however long it was away")
{
    for (auto const greeted : {false, true}) {
        CAPTURE(greeted);
        auto longest = base::micros{0};
        for (std::uint64_t seed = 0; seed < 50; ++seed) {
            connection_fsm it({time_out}, seed);
            auto now = start;
            it.resume(event::start, now);
            for (int i = 0; i < 12; ++i) { // nobody there
                now = it.resume(event::broken, now).until;
                it.resume(event::timer, now);
            }
            for (int i = 0; i < 5; ++i) {
                REQUIRE(it.resume(event::connected, now).what == verb::greet);
                if (greeted)
                    REQUIRE(it.resume(event::welcome, now).what == verb::serve); // LOADING is heard before, READONLY after
                auto const pause = it.resume(event::unready, now);
                REQUIRE(pause.what == verb::pause);
                CHECK(pause.until - now >= connection_fsm::shortest_pause);
                longest = std::max(longest, pause.until - now);
                now = pause.until;
                it.resume(event::timer, now);
            }
        }
        CHECK(longest <= connection_fsm::longest_pause_while_unready);
        CHECK(longest > connection_fsm::longest_pause_while_unready / 2);
    }
}

TEST_CASE("only a connection that lasted makes the pauses begin anew")
{
    for (auto const lasted : {connection_fsm::proven_after - 1us, connection_fsm::proven_after}) {
        CAPTURE(lasted.count());
        auto longest = base::micros{0};
        for (std::uint64_t seed = 0; seed < 50; ++seed) {
            connection_fsm it({time_out}, seed);
            it.resume(event::start, start);
            for (int i = 0; i < 5; ++i) {
                it.resume(event::broken, start);
                it.resume(event::timer, start);
            }
            it.resume(event::connected, start);
            it.resume(event::welcome, start);
            longest = std::max(longest, it.resume(event::broken, start + lasted).until - (start + lasted));
        }
        CHECK((longest <= connection_fsm::first_pause) == (lasted == connection_fsm::proven_after));
    }
}

TEST_CASE("stop closes from everywhere and nothing follows")
{
    for (auto const at : {state::idle, state::connecting, state::greeting, state::ready, state::pausing}) {
        CAPTURE(static_cast<int>(at));
        auto it = brought_to(at);
        CHECK(it.resume(event::stop, start).what == verb::close);
        CHECK(it.now_in() == state::stopped);
        for (auto const what : {event::start, event::connected, event::welcome, event::broken, event::timer, event::stop})
            CHECK(it.resume(what, start).what == verb::nothing);
    }
}

TEST_CASE("events of a socket that was dropped are ignored")
{
    auto pausing = brought_to(state::pausing);
    for (auto const late : {event::connected, event::welcome, event::broken})
        CHECK(pausing.resume(late, start).what == verb::nothing);
    CHECK(pausing.now_in() == state::pausing);
    auto ready = brought_to(state::ready);
    for (auto const late : {event::connected, event::welcome, event::timer})
        CHECK(ready.resume(late, start).what == verb::nothing);
    CHECK(ready.now_in() == state::ready);
}

TEST_CASE("with sentinels every try begins with a search, and pauses stay short")
{
    connection_fsm it({.connect = time_out, .locate = 2s}, 7);
    auto now = start;
    auto step = it.resume(event::start, now);
    for (int tries = 0; tries < 20; ++tries) {
        CHECK(step.what == verb::locate);
        CHECK(step.until == now + 2s);
        CHECK(it.resume(event::connected, now).what == verb::nothing); // nothing is being connected to
        step = it.resume(tries % 2 == 0 ? event::broken : event::timer, now);
        REQUIRE(step.what == verb::pause);
        CHECK(step.until <= now + connection_fsm::longest_pause_of_search);
        now = step.until;
        step = it.resume(event::timer, now);
    }
    step = it.resume(event::located, now);
    CHECK(step.what == verb::connect);
    CHECK(step.until == now + time_out);
    CHECK(it.resume(event::broken, now).what == verb::pause);
}

TEST_CASE("other time limits hold from the next try on")
{
    auto it = brought_to(state::pausing);
    it.adopt({2 * time_out});
    auto const next = it.resume(event::timer, start + 10s);
    CHECK(next.what == verb::connect);
    CHECK(next.until == start + 10s + 2 * time_out);
}

TEST_CASE("other limits hold for the try under way too, reckoned from when it began; a pause and a connection have none")
{
    for (auto const at : {state::connecting, state::greeting}) {
        auto it = brought_to(at);
        CHECK(it.adopt({100ms}) == start + 100ms);
        CHECK(it.resume(event::timer, start + 100ms).what == verb::pause);
        CHECK(it.adopt({200ms}) == std::nullopt);
        CHECK(it.resume(event::timer, start + 1s).until == start + 1200ms);
    }
    CHECK(brought_to(state::ready).adopt({100ms}) == std::nullopt);
    connection_fsm searching({time_out, 1s}, 7);
    searching.resume(event::start, start);
    CHECK(searching.adopt({100ms, 300ms}) == start + 300ms);
    searching.resume(event::located, start + 50ms);
    CHECK(searching.adopt({100ms, 300ms}) == start + 150ms);
}

} // namespace penstock::limiter::redis
