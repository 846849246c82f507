#include "limiter/redis/redirection.hpp"

#include <doctest/doctest.h>

namespace penstock::limiter::redis {

using kind = redirection::kind;

TEST_CASE("redirections as nodes write them")
{
    auto const moved = read_redirection("MOVED 3999 127.0.0.1:6381");
    CHECK(moved.what == kind::moved);
    CHECK(moved.slot == 3999);
    CHECK(moved.to == redis_address{"127.0.0.1", 6381});

    auto const asked = read_redirection("ASK 0 redis-2.example:7000");
    CHECK(asked.what == kind::ask);
    CHECK(asked.slot == 0);
    CHECK(asked.to == redis_address{"redis-2.example", 7000});

    CHECK(read_redirection("MOVED 16383 2001:db8::1:7000").to == redis_address{"2001:db8::1", 7000});
    CHECK(read_redirection("MOVED 1 [2001:db8::1]:7000").to == redis_address{"2001:db8::1", 7000});
    CHECK(read_redirection("TRYAGAIN Multiple keys request during rehashing of slot").what == kind::try_again);
}

TEST_CASE("a node that does not know the other's host leaves it out")
{
    CHECK(read_redirection("MOVED 5 :7002").to == redis_address{"", 7002});
    CHECK(read_redirection("MOVED 5 ?:7002").to == redis_address{"", 7002});
}

TEST_CASE("whatever else is said redirects nobody")
{
    for (auto const* text : {"", "MOVED", "MOVED ", "MOVED 5", "MOVED 5 ", "MOVED x 127.0.0.1:1", "MOVED 16384 127.0.0.1:1",
                             "MOVED -1 127.0.0.1:1", "MOVED 5 127.0.0.1", "MOVED 5 127.0.0.1:", "MOVED 5 127.0.0.1:0",
                             "MOVED 5 127.0.0.1:65536", "MOVED 5 127.0.0.1:1x", "MOVEDX 5 127.0.0.1:1", "ASKING", "ASK 5",
                             "TRYAGAINST", "CLUSTERDOWN Hash slot not served", "moved 5 127.0.0.1:1"}) {
        CAPTURE(text);
        CHECK(read_redirection(text).what == kind::none);
    }
}

} // namespace penstock::limiter::redis
