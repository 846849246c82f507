// AK-35: when keys are fetched, step by step, with a failure at each of them.
#include "auth/key_refresh.hpp"

#include <doctest/doctest.h>

namespace penstock::auth {
namespace {

using action = key_refresh::action;

constexpr base::micros second{1'000'000};
base::instant at(std::int64_t seconds) { return base::at_epoch_us(1'000'000'000'000'000) + seconds * second; }

key_source source()
{
    key_source made;
    made.refresh = 600 * second;
    made.cooldown = 30 * second;
    made.stale = 3600 * second;
    return made;
}

} // namespace

TEST_CASE("AK-35 the first fetch is due at once, the next after the interval, sooner where the answer says so")
{
    key_refresh machine(source(), at(0), 0.0);
    CHECK(machine.next() == at(0));
    CHECK(machine.resume(at(0)) == action::fetch);
    CHECK(machine.resume(at(1)) == action::rest); // under way
    machine.note_fetched(std::nullopt, at(2));
    CHECK(machine.next() == at(602));
    CHECK(machine.resume(at(601)) == action::rest);
    CHECK(machine.resume(at(602)) == action::fetch);
    machine.note_fetched(60 * second, at(603));
    CHECK(machine.next() == at(663));
    CHECK(machine.resume(at(663)) == action::fetch);
    machine.note_fetched(99'999 * second, at(664)); // never later than the interval
    CHECK(machine.next() == at(1264));
    CHECK(machine.resume(at(1264)) == action::fetch);
    machine.note_fetched(0 * second, at(1265)); // no-store: still not within the cooldown
    CHECK(machine.next() == at(1294));
}

TEST_CASE("AK-35 however many tokens name unknown keys: one fetch per cooldown")
{
    key_refresh machine(source(), at(0), 0.0);
    CHECK(machine.resume(at(0)) == action::fetch);
    machine.note_fetched(std::nullopt, at(0));
    int fetches = 0;
    for (int i = 0; i < 1000; ++i) { // over 100 seconds
        auto const now = at(0) + i * second / 10;
        machine.note_unknown_key(now);
        if (machine.resume(now) != action::fetch) continue;
        ++fetches;
        machine.note_fetched(std::nullopt, now);
    }
    CHECK(fetches == 3); // at 30, 60 and 90 seconds
}

TEST_CASE("AK-35 after a failure it waits, longer each time, and never longer than the interval")
{
    key_refresh machine(source(), at(0), 0.0);
    CHECK(machine.resume(at(0)) == action::fetch);
    machine.note_failed(at(5));
    CHECK(machine.next() == at(35));
    CHECK(machine.resume(at(35)) == action::fetch);
    machine.note_failed(at(35));
    CHECK(machine.next() == at(95));
    machine.note_unknown_key(at(40)); // within the cooldown
    CHECK(machine.next() == at(65));
    CHECK(machine.resume(at(65)) == action::fetch);
    for (int i = 0; i < 100; ++i) machine.note_failed(at(65));
    CHECK(machine.next() == at(665));
    CHECK(machine.resume(at(665)) == action::fetch);
    machine.note_fetched(std::nullopt, at(666)); // and it is as if nothing had been
    CHECK(machine.next() == at(1266));
}

TEST_CASE("AK-35 keys that nobody has confirmed for the stale limit are forgotten, once, also while a fetch hangs")
{
    key_refresh machine(source(), at(0), 0.0);
    CHECK(machine.resume(at(0)) == action::fetch);
    machine.note_fetched(std::nullopt, at(0));
    CHECK(machine.resume(at(600)) == action::fetch);
    CHECK(machine.next() == at(3600));
    CHECK(machine.resume(at(3599)) == action::rest);
    CHECK(machine.resume(at(3600)) == action::forget);
    CHECK(machine.resume(at(3600)) == action::rest);
    machine.note_failed(at(3601));
    CHECK(machine.resume(at(3631)) == action::fetch);
    machine.note_fetched(std::nullopt, at(3632));
    CHECK(machine.resume(at(3632)) == action::rest);

    auto without = source();
    without.stale = base::micros{0};
    key_refresh patient(without, at(0), 0.0);
    CHECK(patient.resume(at(0)) == action::fetch);
    patient.note_fetched(std::nullopt, at(0));
    CHECK(patient.resume(at(599)) == action::rest);
    CHECK(patient.resume(at(1'000'000)) == action::fetch);
}

TEST_CASE("AK-34 what Cache-Control says of freshness")
{
    CHECK(freshness_of("max-age=300") == 300 * second);
    CHECK(freshness_of("public, Max-Age=19845 , must-revalidate") == 19'845 * second);
    CHECK(freshness_of("max-age=300, no-cache") == 0 * second);
    CHECK(freshness_of("No-Store") == 0 * second);
    CHECK(freshness_of("max-age=300, max-age=60") == 60 * second);
    CHECK(freshness_of("max-age=60, max-age=300") == 60 * second);
    CHECK(freshness_of("max-age=99999999999999999999") == 366 * 86'400 * second);
    for (auto const* silent : {"", "public", "s-maxage=5", "max-age=", "max-age=-5", "max-age=5x", ",,", "max-age"}) {
        CAPTURE(silent);
        CHECK(!freshness_of(silent));
    }
}

TEST_CASE("AK-34 the gateways of a fleet spread their fetches over a tenth of the interval, sooner rather than later")
{
    for (auto const spread : {0.0, 0.5, 1.0, 7.0}) {
        key_refresh machine(source(), at(0), spread);
        CHECK(machine.resume(at(0)) == action::fetch);
        machine.note_fetched(std::nullopt, at(0));
        CHECK(machine.next() >= at(540));
        CHECK(machine.next() <= at(600));
    }
}

TEST_CASE("AK-35 inherited keys are fetched anew at once, and believed no longer than since they were confirmed")
{
    key_refresh machine(source(), at(1000), 0.0);
    machine.note_inherited(at(100));
    CHECK(machine.resume(at(1000)) == action::fetch);
    machine.note_failed(at(1000));
    CHECK(machine.resume(at(1029)) == action::rest);
    CHECK(machine.resume(at(3700)) == action::forget);
}

} // namespace penstock::auth
