#include "gateway/telemetry.hpp"

#include <doctest/doctest.h>

#include <numeric>
#include <set>

using namespace penstock;
using namespace penstock::gateway;

TEST_CASE("OP-13: an observation counts in the bucket whose bound it does not exceed")
{
    struct row {
        std::string_view name;
        base::micros value;
        std::size_t bucket;
    };
    for (auto const& r : {
             row{"nothing", base::micros{0}, 0},
             row{"at the first bound", base::micros{500}, 0},
             row{"above it", base::micros{501}, 1},
             row{"at a bound", base::micros{100'000}, 7},
             row{"at the last bound", base::micros{10'000'000}, 13},
             row{"beyond", base::micros{10'000'001}, 14},
             row{"an hour", base::micros{3'600'000'000}, 14},
         }) {
        CAPTURE(r.name);
        histogram seen;
        seen.observe(r.value);
        CHECK(seen.counts[r.bucket] == 1);
        CHECK(std::accumulate(seen.counts.begin(), seen.counts.end(), std::uint64_t{0}) == 1);
        CHECK(seen.sum == r.value);
    }
}

TEST_CASE("OP-16: what the workers have counted adds up, and names that only one has seen appear")
{
    telemetry a;
    a.routes["shared"].requests[2] = 5;
    a.routes["shared"].duration.observe(base::micros{100});
    a.limits["limit"].decisions[1] = 1;
    a.limits["queued"].queue.emplace().waiting = 1;
    a.upstreams["backend"].servers["one"][2] = 3;
    a.parse_rejections["malformed"] = 1;
    a.connections_open = 1;
    a.connections_total = 10;
    a.unrouted[4] = 2;
    a.check_redis.observe(base::micros{400});

    telemetry b;
    b.routes["shared"].requests[2] = 6;
    b.routes["shared"].duration.observe(base::micros{200});
    b.routes["other"].requests[5] = 1;
    b.limits["limit"].decisions[1] = 2;
    b.limits["queued"].queue.emplace().waiting = 2;
    b.limits["queued"].queue->waited.observe(base::micros{600});
    b.upstreams["backend"].servers["one"][2] = 4;
    b.upstreams["backend"].servers["two"][5] = 1;
    b.upstreams["backend"].duration.observe(base::micros{300});
    b.parse_rejections["malformed"] = 2;
    b.connections_open = 2;
    b.connections_total = 20;
    b.unrouted[4] = 3;
    b.memory_checks = 7;
    b.check_memory.observe(base::micros{500});
    b.forwarded_for_rejected = 8;
    b.forwarding_failures = 9;

    telemetry total;
    total.add(a);
    total.add(b);
    CHECK(total.routes["shared"].requests[2] == 11);
    CHECK(total.routes["shared"].duration.counts[0] == 2);
    CHECK(total.routes["shared"].duration.sum == base::micros{300});
    CHECK(total.routes["other"].requests[5] == 1);
    CHECK(total.limits["limit"].decisions[1] == 3);
    CHECK_FALSE(total.limits["limit"].queue);
    REQUIRE(total.limits["queued"].queue);
    CHECK(total.limits["queued"].queue->waiting == 3);
    CHECK(total.limits["queued"].queue->waited.sum == base::micros{600});
    CHECK(total.upstreams["backend"].servers["one"][2] == 7);
    CHECK(total.upstreams["backend"].servers["two"][5] == 1);
    CHECK(total.upstreams["backend"].duration.sum == base::micros{300});
    CHECK(total.parse_rejections["malformed"] == 3);
    CHECK(total.connections_open == 3);
    CHECK(total.connections_total == 30);
    CHECK(total.unrouted[4] == 5);
    CHECK(total.memory_checks == 7);
    CHECK(total.check_memory.sum == base::micros{500});
    CHECK(total.check_redis.sum == base::micros{400});
    CHECK(total.forwarded_for_rejected == 8);
    CHECK(total.forwarding_failures == 9);
}

TEST_CASE("OP-14: every outcome has a label of its own")
{
    std::set<std::string_view> names;
    for (int i = 0; i <= static_cast<int>(limiter::outcome::unanswered_denied); ++i)
        names.insert(name_of(static_cast<limiter::outcome>(i)));
    CHECK(names.size() == telemetry::limit_counts{}.decisions.size());
    CHECK(!names.contains("unknown"));
}
