#include "proxy/deadline.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <random>
#include <vector>

using namespace penstock;
using namespace penstock::proxy;

namespace {

constexpr auto start = base::at_epoch_us(1'700'000'000'000'000);
constexpr auto tick = deadline_wheel::tick;

// Advances the wheel and knows the time; what fires notes it.
struct bench {
    deadline_wheel wheel{start};
    base::instant now = start;

    void pass(base::micros time, base::micros step = tick)
    {
        for (auto const until = now + time; now < until;) {
            now = std::min(now + step, until);
            wheel.advance(now);
        }
    }
};

class test_alarm final : public deadline {
public:
    explicit test_alarm(bench& on) noexcept : deadline(on.wheel), bench_(on) {}
    std::vector<base::instant> fired;
    std::unique_ptr<test_alarm> victim; // destroyed when this one fires
    std::optional<base::micros> again;  // set anew when this one fires

private:
    void on_deadline() noexcept override
    {
        fired.push_back(bench_.now);
        victim.reset();
        if (again) expires_at(bench_.now + *again);
        again.reset();
    }
    bench& bench_;
};

} // namespace

TEST_CASE("a deadline fires once, never early and at most two ticks late")
{
    struct row {
        std::string_view name;
        base::micros wait;
    };
    for (auto const& r : {
             row{"now", base::micros{0}},
             row{"a microsecond", base::micros{1}},
             row{"just below a tick", tick - base::micros{1}},
             row{"a tick", tick},
             row{"just above a tick", tick + base::micros{1}},
             row{"a second", base::micros{1'000'000}},
             row{"one turn of the wheel", 1023 * tick},
             row{"exactly all slots", 1024 * tick},
             row{"more than one turn", base::micros{75'000'000}},
             row{"many turns", base::micros{600'000'000}},
         }) {
        CAPTURE(r.name);
        bench on;
        test_alarm due(on);
        due.expires_at(start + r.wait);
        on.pass(r.wait + 10 * tick);
        REQUIRE(due.fired.size() == 1);
        CHECK(due.fired.front() >= start + r.wait);
        CHECK(due.fired.front() <= start + r.wait + 2 * tick);
    }
}

TEST_CASE("from the wheel's coarse time a deadline is not early either, even if the clock has gone on since its last tick")
{
    for (auto const passed : {base::micros{0}, base::micros{1}, base::micros{49'999}}) {
        auto const passed_us = passed.count();
        CAPTURE(passed_us);
        for (bool const noted : {false, true}) {
            CAPTURE(noted);
            bench on;
            test_alarm due(on);
            auto const set_at = start + passed;
            if (noted) on.wheel.note(set_at);
            due.expires_after(base::micros{100'000});
            on.pass(base::micros{1'000'000});
            REQUIRE(due.fired.size() == 1);
            CHECK(due.fired.front() >= set_at + base::micros{100'000});
            CHECK(due.fired.front() <= set_at + base::micros{100'000} + 2 * tick);
        }
    }
}

TEST_CASE("a clock that was noted never goes back, and an advance catches it up")
{
    deadline_wheel wheel(start);
    wheel.note(start + tick / 2);
    CHECK(wheel.now() == start + tick / 2);
    wheel.note(start);
    CHECK(wheel.now() == start + tick / 2);
    wheel.advance(start + 3 * tick);
    CHECK(wheel.now() == start + 3 * tick);
}

TEST_CASE("a deadline may be moved later, earlier, cleared and set again")
{
    bench on;
    test_alarm later(on);
    test_alarm earlier(on);
    test_alarm cleared(on);
    test_alarm revived(on);
    for (auto* each : {&later, &earlier, &cleared, &revived}) each->expires_at(start + base::micros{500'000});
    on.pass(base::micros{200'000});
    later.expires_at(start + base::micros{1'000'000});
    earlier.expires_at(start + base::micros{300'000});
    cleared.expires_never();
    revived.expires_never();
    on.pass(base::micros{600'000}); // 0.8 s: both cleared ones have left the wheel
    revived.expires_at(start + base::micros{900'000});
    CHECK(later.fired.empty());
    REQUIRE(earlier.fired.size() == 1);
    CHECK(earlier.fired.front() >= start + base::micros{300'000});
    CHECK(earlier.fired.front() <= start + base::micros{300'000} + 2 * tick);
    on.pass(base::micros{5'000'000});
    REQUIRE(later.fired.size() == 1);
    CHECK(later.fired.front() >= start + base::micros{1'000'000});
    CHECK(later.fired.front() <= start + base::micros{1'000'000} + 2 * tick);
    CHECK(cleared.fired.empty());
    CHECK(revived.fired.size() == 1);
    CHECK(earlier.fired.size() == 1);
}

TEST_CASE("what is destroyed does not fire, even when it was due at the same moment")
{
    bench on;
    test_alarm first(on);
    first.victim = std::make_unique<test_alarm>(on);
    auto const victim_fired = &first.victim->fired;
    first.expires_at(start + base::micros{100'000});
    first.victim->expires_at(start + base::micros{100'000});
    test_alarm last(on);
    last.expires_at(start + base::micros{100'000});
    CHECK(victim_fired->empty());
    on.pass(base::micros{1'000'000});
    CHECK(first.victim == nullptr);
    CHECK(first.fired.size() == 1);
    CHECK(last.fired.size() == 1);
}

TEST_CASE("a deadline that fires may set itself again, even for now")
{
    bench on;
    test_alarm due(on);
    due.again = base::micros{0};
    due.expires_at(start + base::micros{100'000});
    on.pass(base::micros{1'000'000});
    REQUIRE(due.fired.size() == 2);
    CHECK(due.fired[1] <= due.fired[0] + 2 * tick);
}

TEST_CASE("a worker that was stopped for long fires everything at once when it goes on")
{
    bench on;
    test_alarm soon(on);
    test_alarm far(on);
    test_alarm not_yet(on);
    soon.expires_at(start + base::micros{100'000});
    far.expires_at(start + base::micros{120'000'000});
    not_yet.expires_at(start + base::micros{301'000'000});
    on.now = start + base::micros{300'000'000};
    on.wheel.advance(on.now);
    CHECK(soon.fired.size() == 1);
    CHECK(far.fired.size() == 1);
    CHECK(not_yet.fired.empty());
}

TEST_CASE("random deadlines, set, moved and cleared in any order, fire as they should")
{
    auto const seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937 random(seed);
    auto const below = [&](std::int64_t bound) { return std::uniform_int_distribution<std::int64_t>(0, bound - 1)(random); };
    bench on;
    std::vector<std::unique_ptr<test_alarm>> alarms;
    std::vector<base::instant> due(50, base::instant::max());
    for (std::size_t i = 0; i < due.size(); ++i) alarms.push_back(std::make_unique<test_alarm>(on));
    for (int round = 0; round < 3000; ++round) {
        CAPTURE(round);
        auto const i = static_cast<std::size_t>(below(static_cast<std::int64_t>(due.size())));
        if (below(4) == 0) {
            alarms[i]->expires_never();
            due[i] = base::instant::max();
        } else {
            due[i] = on.now + base::micros{below(100'000'000)};
            alarms[i]->expires_at(due[i]);
        }
        on.pass(base::micros{1 + below(200'000)}, base::micros{1 + below(2 * tick.count())});
        for (std::size_t k = 0; k < due.size(); ++k) {
            if (!alarms[k]->fired.empty()) {
                CHECK(alarms[k]->fired.size() == 1);
                CHECK(alarms[k]->fired.front() >= due[k]);
                due[k] = base::instant::max();
                alarms[k]->fired.clear();
            }
            CHECK(!(due[k] != base::instant::max() && due[k] + 4 * tick < on.now)); // two ticks, and two that the loop was late
        }
    }
}
