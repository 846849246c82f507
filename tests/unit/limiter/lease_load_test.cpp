// What leases cost and lose under load, in virtual time: the same figures on every machine.
#include "tests/unit/limiter/lease_fleet.hpp"

#include <doctest/doctest.h>

namespace penstock::tests {
namespace {

constexpr std::int64_t second = 1'000'000;

limiter::token_bucket bucket_of(std::int64_t rate, std::int64_t burst_seconds)
{
    return *limiter::make_token_bucket(rate * burst_seconds, rate, base::micros{second});
}

double calls_a_request(lease_fleet<> const& fleet)
{
    return static_cast<double>(fleet.calls()) / static_cast<double>(fleet.requests());
}

} // namespace

TEST_CASE("three holders at twice the limit leave at most 0.3 % of 20 seconds' permits unused")
{
    for (std::int64_t const burst_seconds : {1, 2, 10}) {
        CAPTURE(burst_seconds);
        fleet_settings wanted;
        wanted.limit = bucket_of(3000, burst_seconds);
        wanted.requests_a_second = 2000 * (burst_seconds > 1 ? 1.5 : 1);
        lease_fleet<> fleet(wanted);
        fleet.run_until(20 * second);
        auto const permits = static_cast<double>(3000 * (20 + burst_seconds));
        auto const unused = 1 - static_cast<double>(fleet.admitted()) / permits;
        MESSAGE("burst of " << burst_seconds << " s: " << 100 * unused << " % unused, " << calls_a_request(fleet)
                            << " calls a request");
        CHECK(fleet.worst() <= 0);
        CHECK(unused <= 0.003);
        // Nobody is starved.
        for (int i = 0; i < wanted.holders; ++i) CHECK(fleet.admitted_by(i) > fleet.admitted() / 5);
    }
}

TEST_CASE("a hot key at 10,000 requests a second of each holder costs at most 0.003 calls a request")
{
    struct row {
        char const* name;
        std::int64_t limit;
    };
    for (auto const& row :
         {row{"well within the limit", 60'000}, row{"near the limit", 31'000}, row{"twice the limit", 15'000}}) {
        CAPTURE(row.name);
        fleet_settings wanted;
        wanted.limit = bucket_of(row.limit, 1);
        wanted.requests_a_second = 10'000;
        lease_fleet<> fleet(wanted);
        fleet.run_until(20 * second);
        MESSAGE(row.name << ": " << calls_a_request(fleet) << " calls a request");
        CHECK(calls_a_request(fleet) <= 0.003);
        CHECK(fleet.worst() <= 0);
        if (row.limit > 30'000) CHECK(fleet.admitted() >= fleet.requests() * 999 / 1000);
    }
}

TEST_CASE("permits of a holder that stops are not lost to the others")
{
    fleet_settings wanted;
    wanted.limit = bucket_of(3000, 1);
    wanted.requests_a_second = 4000;
    lease_fleet<> fleet(wanted);
    fleet.run_until(5 * second);
    SUBCASE("because it falls silent")
    {
        fleet.set_traffic(0, 0);
        fleet.set_traffic(1, 0);
    }
    SUBCASE("because it crashes")
    {
        fleet.crash(0);
        fleet.crash(1);
        fleet.set_traffic(0, 0);
        fleet.set_traffic(1, 0);
    }
    fleet.run_until(6 * second);
    auto const before = fleet.admitted();
    fleet.run_until(10 * second);
    CHECK(fleet.admitted() - before >= 4 * 3000 * 98 / 100);
    CHECK(fleet.worst() <= 0);
}

} // namespace penstock::tests
