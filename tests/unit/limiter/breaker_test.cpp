#include "limiter/breaker.hpp"

#include <doctest/doctest.h>

namespace penstock::limiter {
namespace {

using state = breaker::state;
using namespace std::chrono_literals;

constexpr breaker_settings wanted{.failures = 3, .open_for = 1s, .open_for_max = 5s};
constexpr auto start = base::at_epoch_us(1'000'000'000);

breaker opened()
{
    breaker it(wanted, 1);
    for (int i = 0; i < 3; ++i) it.failed(errc::timed_out, start);
    return it;
}

} // namespace

TEST_CASE("the breaker opens at the failure that completes the row, and says so once")
{
    breaker it(wanted, 1);
    CHECK_FALSE(it.failed(errc::timed_out, start));
    CHECK_FALSE(it.failed(errc::timed_out, start));
    CHECK(it.may_ask());
    CHECK(it.failed(errc::timed_out, start));
    CHECK(it.now_in() == state::open);
    CHECK_FALSE(it.may_ask());
    CHECK_FALSE(it.failed(errc::timed_out, start));
}

TEST_CASE("a success begins the row anew")
{
    breaker it(wanted, 1);
    it.failed(errc::timed_out, start);
    it.failed(errc::timed_out, start);
    it.succeeded();
    CHECK_FALSE(it.failed(errc::timed_out, start));
    CHECK_FALSE(it.failed(errc::timed_out, start));
    CHECK(it.may_ask());
}

TEST_CASE("a failure that is sure opens at once")
{
    breaker it(wanted, 1);
    CHECK(it.failed(errc::loading, start));
    CHECK(it.now_in() == state::open);
    CHECK_FALSE(it.failed(errc::loading, start));
}

TEST_CASE("one probe at a time, not before its time, and its success closes")
{
    auto it = opened();
    auto const due = it.probe_at();
    CHECK(due >= start + wanted.open_for / 2);
    CHECK(due <= start + wanted.open_for);
    CHECK_FALSE(it.start_probe(due - 1us));
    CHECK(it.start_probe(due));
    CHECK(it.now_in() == state::half_open);
    CHECK_FALSE(it.may_ask());
    CHECK_FALSE(it.start_probe(due));
    CHECK_FALSE(it.start_probe_on_new_connection());
    it.probe_succeeded(due);
    CHECK(it.may_ask());
    // The row begins anew as well.
    CHECK_FALSE(it.failed(errc::timed_out, due));
}

TEST_CASE("each failed probe doubles the pause, up to the longest; closing forgets")
{
    auto it = opened();
    for (auto const expected : {2s, 4s, 5s, 5s}) {
        auto const now = it.probe_at();
        REQUIRE(it.start_probe(now));
        it.probe_failed(now);
        CHECK(it.now_in() == state::open);
        CHECK(it.probe_at() >= now + std::chrono::microseconds(expected) / 2);
        CHECK(it.probe_at() <= now + expected);
    }
    auto const closed = it.probe_at();
    REQUIRE(it.start_probe(closed));
    it.probe_succeeded(closed);
    it.failed(errc::loading, closed);
    CHECK(it.probe_at() <= closed + wanted.open_for);
}

TEST_CASE("a right that is missing once more within a minute was missing all along: the pauses go on doubling")
{
    breaker it(wanted, 1);
    auto now = start;
    auto const relapse = [&](base::micros expected) {
        REQUIRE(it.failed(errc::refused_login, now));
        CHECK(it.probe_at() >= now + expected / 2);
        CHECK(it.probe_at() <= now + expected);
        now = it.probe_at();
        REQUIRE(it.start_probe(now));
        it.probe_succeeded(now);
        CHECK(it.may_ask());
    };
    for (auto const expected : {1s, 2s, 4s, 5s, 5s}) {
        relapse(expected);
        now += breaker::relapse_within - 1us;
    }
    now += 1us;
    relapse(1s);
    relapse(2s);
    // Another failure in between is another outage.
    REQUIRE(it.failed(errc::loading, now));
    CHECK(it.probe_at() <= now + 1s);
    now = it.probe_at();
    REQUIRE(it.start_probe(now));
    it.probe_succeeded(now);
    relapse(1s);
}

TEST_CASE("other figures are in force at once, and what is known stays")
{
    breaker counting(wanted, 1);
    counting.failed(errc::timed_out, start);
    counting.adopt({.failures = 2, .open_for = 1s, .open_for_max = 5s}, start);
    CHECK(counting.failed(errc::timed_out, start));

    breaker lowered(wanted, 1);
    lowered.failed(errc::timed_out, start);
    lowered.failed(errc::timed_out, start);
    lowered.adopt({.failures = 1, .open_for = 1s, .open_for_max = 5s}, start);
    CHECK(lowered.may_ask());
    CHECK(lowered.failed(errc::timed_out, start));

    breaker patient({.failures = 1, .open_for = 3600s, .open_for_max = 3600s}, 1);
    patient.failed(errc::timed_out, start);
    patient.adopt(wanted, start + 1s);
    CHECK(patient.now_in() == state::open);
    CHECK(patient.probe_at() == start + 1s + wanted.open_for_max);
    auto const due = patient.probe_at();
    patient.adopt({.failures = 1, .open_for = 3600s, .open_for_max = 3600s}, start + 2s);
    CHECK(patient.probe_at() == due);
    CHECK(patient.start_probe(due));
}

TEST_CASE("a new connection is probed without waiting, if the breaker is open")
{
    auto it = opened();
    CHECK(it.start_probe_on_new_connection());
    CHECK(it.now_in() == state::half_open);
    breaker closed(wanted, 1);
    CHECK_FALSE(closed.start_probe_on_new_connection());
    CHECK(closed.may_ask());
}

TEST_CASE("late news changes nothing: outcomes of checks while open, of probes while closed")
{
    auto it = opened();
    it.succeeded();
    CHECK(it.now_in() == state::open);
    it.probe_succeeded(start);
    CHECK(it.now_in() == state::open);
    breaker closed(wanted, 1);
    closed.probe_failed(start);
    CHECK(closed.may_ask());
}

TEST_CASE("the pauses of two workers differ")
{
    breaker a(wanted, 1);
    breaker b(wanted, 2);
    a.failed(errc::loading, start);
    b.failed(errc::loading, start);
    CHECK(a.probe_at() != b.probe_at());
}

TEST_CASE("what an error says of the checks that would follow")
{
    for (auto code = 1; code <= static_cast<int>(last_errc); ++code) {
        auto const why = static_cast<errc>(code);
        CAPTURE(name_of(why));
        breaker it(wanted, 1);
        auto const certain = why == errc::loading || why == errc::refused_login;
        auto const ours = why == errc::breaker_open || why == errc::overloaded || why == errc::script;
        CHECK(it.failed(why, start) == certain);
        it.failed(why, start);
        it.failed(why, start);
        CHECK(it.may_ask() == ours);
    }
}

} // namespace penstock::limiter
