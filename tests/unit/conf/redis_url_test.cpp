#include "conf/redis_url.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace penstock::conf;
using penstock::limiter::redis_address;

TEST_CASE("where Redis is")
{
    auto const full = parse_redis_url("redis://user:p%40ss%2F@cache.local:6380/3");
    REQUIRE(full);
    CHECK(full->user == "user");
    CHECK(full->password == "p@ss/");
    CHECK(full->host == "cache.local");
    CHECK(full->port == 6380);
    CHECK(full->database == 3);

    auto const shortest = parse_redis_url("redis://127.0.0.1");
    REQUIRE(shortest);
    CHECK(shortest->port == 6379);
    CHECK(shortest->database == 0);
    CHECK(parse_redis_url("redis://:secret@[::1]:6379/")->password == "secret");

    auto const socket = parse_redis_url("unix://:secret@/run/redis.sock?db=2");
    REQUIRE(socket);
    CHECK(socket->host.empty());
    CHECK(socket->unix_path == "/run/redis.sock");
    CHECK(socket->password == "secret");
    CHECK(socket->database == 2);

    for (auto const* text : {"127.0.0.1:6379", "redis://", "redis://h:0", "redis://h/x", "redis://@h", "redis://:%4@h",
                             "unix://run/redis.sock", "unix:///run/redis.sock?x=1", "http://h"}) {
        CAPTURE(text);
        CHECK(!parse_redis_url(text));
    }
}

TEST_CASE("a user may stand alone: the password is in a file")
{
    auto const read = parse_redis_url("redis://gate@h/1");
    REQUIRE(read);
    CHECK(read->user == "gate");
    CHECK(read->password.empty());
    CHECK(read->database == 1);
}

TEST_CASE("TLS is a scheme of its own")
{
    CHECK_FALSE(parse_redis_url("redis://h")->tls);
    auto const read = parse_redis_url("rediss://:pw@cache:6380?db=2");
    REQUIRE(read);
    CHECK(read->tls);
    CHECK(read->host == "cache");
    CHECK(read->port == 6380);
    CHECK(read->password == "pw");
    CHECK(read->database == 2);
    CHECK_FALSE(parse_redis_url("rediss:/run/redis.sock"));
}

TEST_CASE("a cluster is named by some of its nodes, and has one database")
{
    auto const read = parse_redis_url("redis+cluster://user:p%40ss@a.example:7000,[::1]:7001,10.0.0.3");
    REQUIRE(read);
    CHECK(read->user == "user");
    CHECK(read->password == "p@ss");
    CHECK(read->host.empty());
    CHECK(read->cluster_seeds == std::vector<redis_address>{{"a.example", 7000}, {"::1", 7001}, {"10.0.0.3", 6379}});
    CHECK(to_string(read->cluster_seeds[1]) == "[::1]:7001");
    CHECK(parse_redis_url("redis+cluster://h1/0")->cluster_seeds.size() == 1);
    CHECK(parse_redis_url("rediss+cluster://h1,h2")->tls);
    for (auto const* text : {"redis+cluster://", "redis+cluster://h1,", "redis+cluster://h1,,h2", "redis+cluster://h1/1",
                             "redis+cluster://h1?db=1", "redis+cluster://h1:0", "redis+cluster://h1,h2:x"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_redis_url(text));
    }
}

TEST_CASE("sentinels, and the name by which they know the primary")
{
    auto const read = parse_redis_url("redis+sentinel://gate:pw@h1:26380,h2,[::1]:7/main?db=5");
    REQUIRE(read);
    REQUIRE(read->sentinels);
    CHECK_FALSE(read->tls);
    CHECK(read->sentinels->addresses == std::vector<redis_address>{{"h1", 26380}, {"h2", 26379}, {"::1", 7}});
    CHECK(read->sentinels->primary == "main");
    CHECK(read->sentinels->password.empty()); // the login of the URL is for Redis
    CHECK(read->host.empty());
    CHECK(read->user == "gate");
    CHECK(read->password == "pw");
    CHECK(read->database == 5);
    CHECK(parse_redis_url("redis+sentinel://h1/main/3")->database == 3);
    CHECK(parse_redis_url("rediss+sentinel://h1/main")->tls);
    for (auto const* text : {"redis+sentinel://h1", "redis+sentinel://h1/", "redis+sentinel://h1,/main",
                             "redis+sentinel:///main", "redis+sentinel://h1,,h2/main", "redis+sentinel://h1/a b",
                             "redis+sentinel://h1/main/x", "redis+sentinel://h1:0/main", "redis+sentinel://h1/main?name=x"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_redis_url(text));
    }
}
