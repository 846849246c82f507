#include "gateway/wake_pace.hpp"

#include <doctest/doctest.h>

namespace penstock::gateway {

using base::micros;

TEST_CASE("workers are woken at once after a calm, and then no more often than they would try by themselves")
{
    wake_pace pace;
    auto const start = base::at_epoch_us(1'000'000);
    CHECK(pace.asked(start) == start);
    CHECK_FALSE(pace.asked(start)); // it is due already
    pace.woken(start);

    auto const soon = start + micros{50'000};
    CHECK(pace.asked(soon) == start + wake_pace::apart); // late, but not forgotten
    CHECK_FALSE(pace.asked(soon + micros{1}));
    pace.woken(start + wake_pace::apart);

    auto const calm = start + 3 * wake_pace::apart;
    CHECK(pace.asked(calm) == calm);
}

} // namespace penstock::gateway
