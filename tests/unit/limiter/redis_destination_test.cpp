#include "limiter/redis/destination.hpp"

#include <doctest/doctest.h>

namespace penstock::limiter::redis {
namespace {

redis_settings watched()
{
    redis_settings wanted;
    wanted.sentinels.emplace().addresses = {{"s1", 26379}, {"s2", 26379}};
    wanted.sentinels->primary = "main";
    return wanted;
}

redis_address const first{"10.0.0.1", 6379};
redis_address const second{"10.0.0.2", 6380};

} // namespace

TEST_CASE("one server: nobody is asked, and nothing that fails changes where it is")
{
    redis_settings wanted;
    wanted.host = "::1";
    wanted.port = 6380;
    destination it(wanted);
    CHECK_FALSE(it.is_to_be_searched());
    it.led_nowhere();
    CHECK_FALSE(it.is_to_be_searched());
    CHECK(it.address() == redis_address{"::1", 6380});
    CHECK(it.text() == "[::1]:6380");
}

TEST_CASE("a unix socket is named by its path")
{
    redis_settings wanted;
    wanted.unix_path = "/run/redis.sock";
    CHECK(destination(wanted).text() == "/run/redis.sock");
}

TEST_CASE("with sentinels each connection begins with a search, of those first who were right last")
{
    auto const wanted = watched();
    destination it(wanted);
    CHECK(it.text() == "the primary of main");
    CHECK(it.is_to_be_searched());
    CHECK(it.first_asked() == 0);
    it.found(first, 1);
    CHECK(it.address() == first);
    CHECK(it.text() == "10.0.0.1:6379, the primary of main");
    CHECK(it.first_asked() == 1);
    it.led_nowhere();
    CHECK(it.first_asked() == 2);
    CHECK(it.is_to_be_searched());
}

TEST_CASE("what a sentinel tells unasked is tried once before anybody is asked, unless it is no news")
{
    auto const wanted = watched();
    destination it(wanted);
    it.found(first, 0);
    CHECK_FALSE(it.heard(first));
    CHECK(it.is_to_be_searched());
    CHECK(it.heard(second));
    CHECK(it.address() == first); // the present connection is still there
    CHECK_FALSE(it.is_to_be_searched());
    CHECK(it.address() == second);
    CHECK(it.is_to_be_searched());
}

TEST_CASE("a certificate has to name the address that is connected to, or what the configuration says")
{
    auto wanted = watched();
    wanted.tls.emplace();
    destination it(wanted);
    it.found(first, 0);
    CHECK(it.server_name() == "10.0.0.1");
    wanted.tls->server_name = "cache.test";
    CHECK(it.server_name() == "cache.test");
}

} // namespace penstock::limiter::redis
