// How many gateways live: rises at once, falls only after everybody has had the time to speak, and never by silence.
#include "limiter/gateway_census.hpp"
#include "tests/unit/limiter/claims.hpp"

#include <doctest/doctest.h>

namespace penstock::limiter::tests {
namespace {

constexpr auto lapse = gateway_census::lapse;

} // namespace

TEST_CASE("before the store has spoken a gateway takes itself for the only one, or one of as many as are configured")
{
    gateway_census census(7);
    CHECK(census.part() == fleet_part{.gateways = 1, .place = 0});
    census.set_floor(3);
    CHECK(census.part() == fleet_part{.gateways = 3, .place = 1});
    census.set_floor(0);
    CHECK(census.part().gateways == 1);
}

TEST_CASE("more gateways count at once, fewer only when the store has been heard for as long as an announcement lives")
{
    gateway_census census(0);
    census.heard({.gateways = 1, .place = 0}, start);
    census.heard({.gateways = 5, .place = 4}, start + seconds(1));
    CHECK(census.part() == fleet_part{.gateways = 5, .place = 4});
    census.heard({.gateways = 2, .place = 1}, start + seconds(2));
    CHECK(census.part().gateways == 5);
    census.heard({.gateways = 2, .place = 1}, start + lapse - base::micros{1});
    CHECK(census.part().gateways == 5);
    census.heard({.gateways = 2, .place = 1}, start + lapse);
    CHECK(census.part() == fleet_part{.gateways = 2, .place = 1});
}

TEST_CASE("silence keeps the number, and behind it a store that has forgotten everybody is not believed")
{
    gateway_census census(0);
    census.heard({.gateways = 4, .place = 2}, start);
    census.heard({.gateways = 4, .place = 2}, start + lapse);
    census.silent();
    CHECK(census.part() == fleet_part{.gateways = 4, .place = 2});
    auto const back = start + seconds(3'600);
    census.heard({.gateways = 1, .place = 0}, back);
    CHECK(census.part().gateways == 4);
    census.silent();
    census.heard({.gateways = 1, .place = 0}, back + lapse);
    CHECK(census.part().gateways == 4);
    census.heard({.gateways = 1, .place = 0}, back + lapse + lapse);
    CHECK(census.part().gateways == 1);
}

TEST_CASE("a configured floor is never undercut, and the place stays within the number")
{
    gateway_census census(0);
    census.set_floor(3);
    census.heard({.gateways = 1, .place = 0}, start);
    census.heard({.gateways = 1, .place = 0}, start + lapse);
    CHECK(census.part() == fleet_part{.gateways = 3, .place = 0});
    census.heard({.gateways = 9, .place = 8}, start + lapse);
    CHECK(census.part() == fleet_part{.gateways = 9, .place = 8});
}

} // namespace penstock::limiter::tests
