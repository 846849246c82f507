#include "limiter/redis/refresh_pace.hpp"
#include "tests/unit/limiter/claims.hpp"

#include <doctest/doctest.h>

#include <set>

namespace penstock::limiter::redis {

using event = refresh_pace::event;
using limiter::tests::start;
using namespace std::chrono_literals;

TEST_CASE("the first question is asked at once, and only one at a time")
{
    refresh_pace pace(1);
    CHECK(pace.resume(event::wanted, start).ask);
    for (int i = 0; i < 3; ++i) CHECK_FALSE(pace.resume(event::wanted, start + 1s).ask);
    CHECK_FALSE(pace.resume(event::timer, start + 60s).ask);
}

TEST_CASE("however many want it, it is asked once in a second to a second and a half")
{
    refresh_pace pace(2);
    auto now = start;
    auto asked = 0;
    CHECK(pace.resume(event::wanted, now).ask);
    pace.resume(event::answered, now);
    for (; now < start + 10s; now += 1ms) {
        if (!pace.resume(event::wanted, now).ask) continue;
        ++asked;
        CHECK(pace.resume(event::answered, now).until >= now + refresh_pace::shortest_gap);
    }
    CHECK(asked >= 6);
    CHECK(asked <= 9);
}

TEST_CASE("those who have the same reason at the same time do not go on asking in step")
{
    constexpr int fleet = 12;
    std::set<base::instant> later;
    for (int each = 0; each < fleet; ++each) {
        refresh_pace pace(static_cast<std::uint64_t>(each));
        CHECK(pace.resume(event::wanted, start).ask);
        pace.resume(event::answered, start);
        auto const next = pace.resume(event::wanted, start + 1ms).until;
        CHECK(next >= start + refresh_pace::shortest_gap);
        CHECK(next <= start + refresh_pace::longest_gap);
        later.insert(next);
    }
    CHECK(later.size() == fleet);
    CHECK(*later.rbegin() - *later.begin() > 200ms);
}

TEST_CASE("a reason that comes up while it is being asked is asked about once more")
{
    refresh_pace pace(3);
    CHECK(pace.resume(event::wanted, start).ask);
    pace.resume(event::wanted, start + 1ms);
    auto const next = pace.resume(event::answered, start + 2ms);
    CHECK(next.until >= start + 2ms + refresh_pace::shortest_gap);
    CHECK(next.until <= start + 2ms + refresh_pace::longest_gap);
    CHECK(pace.resume(event::timer, next.until).ask);
}

TEST_CASE("without a reason it is asked now and then, not all at the same time")
{
    refresh_pace one(4);
    refresh_pace other(5);
    auto const until = [](refresh_pace& pace) {
        CHECK(pace.resume(event::wanted, start).ask);
        return pace.resume(event::answered, start).until;
    };
    auto const first = until(one);
    CHECK(first >= start + refresh_pace::usual_gap / 2);
    CHECK(first <= start + refresh_pace::usual_gap);
    CHECK(first != until(other));
    CHECK_FALSE(one.resume(event::timer, first - 1us).ask);
    CHECK(one.resume(event::timer, first).ask);
}

TEST_CASE("slots that stay without an owner are asked for less and less often, in the end as if nothing were wrong")
{
    refresh_pace pace(7);
    auto now = start;
    CHECK(pace.resume(event::wanted, now).ask);
    auto gap = refresh_pace::first_gap_while_incomplete;
    for (int i = 0; i < 10; ++i) {
        auto const next = pace.resume(event::incomplete, now);
        REQUIRE_FALSE(next.ask);
        CHECK(next.until >= now + gap / 2);
        CHECK(next.until <= now + gap);
        gap = std::min(2 * gap, refresh_pace::usual_gap);
        now = next.until;
        REQUIRE(pace.resume(event::timer, now).ask);
    }
    CHECK(gap == refresh_pace::usual_gap);
    // Any other reason is as good as ever.
    pace.resume(event::incomplete, now);
    auto const next = pace.resume(event::wanted, now);
    CHECK(next.until >= now + refresh_pace::shortest_gap);
    CHECK(next.until <= now + refresh_pace::longest_gap);
    // The next time that slots have none begins anew.
    now = next.until;
    CHECK(pace.resume(event::timer, now).ask);
    pace.resume(event::answered, now);
    now += refresh_pace::longest_gap;
    CHECK(pace.resume(event::wanted, now).ask);
    CHECK(pace.resume(event::incomplete, now).until <= now + refresh_pace::first_gap_while_incomplete);
}

TEST_CASE("when nobody answers the pauses grow, up to two seconds; an answer ends that")
{
    refresh_pace pace(6);
    auto now = start;
    CHECK(pace.resume(event::wanted, now).ask);
    base::micros longest{0};
    for (int i = 0; i < 20; ++i) {
        auto const next = pace.resume(event::failed, now);
        REQUIRE_FALSE(next.ask);
        auto const pause = next.until - now;
        CHECK(pause >= refresh_pace::first_pause / 2);
        CHECK(pause <= refresh_pace::longest_pause);
        longest = std::max(longest, pause);
        // Wanting it does not make it sooner.
        CHECK_FALSE(pace.resume(event::wanted, now).ask);
        now = next.until;
        REQUIRE(pace.resume(event::timer, now).ask);
    }
    CHECK(longest > 1s);
    pace.resume(event::answered, now);
    now += refresh_pace::longest_gap;
    CHECK(pace.resume(event::wanted, now).ask);
    CHECK(pace.resume(event::failed, now).until - now <= refresh_pace::first_pause);
}

} // namespace penstock::limiter::redis
