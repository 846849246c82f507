// What is kept of the store's last answers: the newest word on each counter, nothing torn.
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
    kept.note(5, said);
    CHECK(kept.find(5) == said);
    CHECK_FALSE(kept.find(6));
    CHECK_FALSE(kept.find(5 + 65'536)); // whose place it is too
    last_answer const later{.remaining = 1, .at = start + seconds(1), .reset_after = seconds(9)};
    kept.note(5, later);
    CHECK(kept.find(5) == later);
    kept.note(5 + 65'536, said);
    CHECK_FALSE(kept.find(5));
}

TEST_CASE("whoever reads while two others write finds one of their words, or nothing")
{
    recent_answers kept;
    std::atomic<bool> done = false;
    auto const write = [&](std::int64_t which) {
        last_answer const said{.remaining = which, .at = start + seconds(which), .reset_after = seconds(2 * which)};
        while (!done) kept.note(1, said);
    };
    std::thread one(write, 11);
    std::thread other(write, 222);
    int found = 0;
    for (int i = 0; i < 50'000'000 && found < 10'000; ++i) {
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
