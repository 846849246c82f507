// What is kept of the store's last answers: the counters that are less than half full, the newest word of each, nothing torn.
#include "limiter/recent_answers.hpp"
#include "tests/unit/limiter/claims.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

namespace penstock::limiter::tests {

TEST_CASE("the last word on a counter is found, another counter's is not")
{
    recent_answers kept;
    CHECK_FALSE(kept.find(5));
    last_answer const said{.remaining = 3, .at = start, .reset_after = seconds(7)};
    kept.note(5, said, 10);
    CHECK(kept.find(5) == said);
    CHECK_FALSE(kept.find(6));
    CHECK_FALSE(kept.find(5 + 65'536)); // whose place it is too
    last_answer const later{.remaining = 1, .at = start + seconds(1), .reset_after = seconds(9)};
    kept.note(5, later, 10);
    CHECK(kept.find(5) == later);
    kept.note(5 + 65'536, said, 10);
    CHECK_FALSE(kept.find(5));
}

TEST_CASE("a counter that is half full is not kept, and no more once it is again")
{
    recent_answers kept;
    kept.note(9, {.remaining = 5, .at = start, .reset_after = {}}, 10);
    CHECK_FALSE(kept.find(9));
    kept.note(9, {.remaining = 4, .at = start, .reset_after = {}}, 10);
    CHECK(kept.find(9));
    kept.note(9 + 65'536, {.remaining = 9, .at = start, .reset_after = {}}, 10); // another's: changes nothing
    CHECK(kept.find(9));
    kept.note(9, {.remaining = 6, .at = start, .reset_after = {}}, 10);
    CHECK_FALSE(kept.find(9));
}

TEST_CASE("whoever reads while two others write finds one of their words, or nothing")
{
    recent_answers kept;
    std::atomic<bool> done = false;
    auto const write = [&](std::int64_t which) {
        last_answer const said{.remaining = which, .at = start + seconds(which), .reset_after = seconds(2 * which)};
        while (!done) kept.note(1, said, 1'000);
    };
    std::thread one(write, 11);
    std::thread other(write, 222);
    int found = 0;
    for (int i = 0; i < 200'000; ++i) {
        auto const said = kept.find(1);
        if (!said) continue;
        ++found;
        auto const whole = said->at == start + seconds(said->remaining) && said->reset_after == seconds(2 * said->remaining) &&
                           (said->remaining == 11 || said->remaining == 222);
        if (!whole) FAIL("torn");
    }
    done = true;
    one.join();
    other.join();
    CHECK(found > 0);
}

} // namespace penstock::limiter::tests
