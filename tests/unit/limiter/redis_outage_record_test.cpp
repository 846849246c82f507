#include "limiter/redis/outage_record.hpp"

#include <doctest/doctest.h>

namespace penstock::limiter::redis {

using of = outage_record::of;

TEST_CASE("each trouble is told once in an outage, of the connection and of the breaker apart")
{
    outage_record it;
    CHECK_FALSE(it.ongoing());
    CHECK(it.begins(of::connection, errc::not_connected));
    CHECK(it.ongoing());
    CHECK_FALSE(it.begins(of::connection, errc::not_connected));
    CHECK(it.begins(of::connection, errc::loading));
    CHECK_FALSE(it.had(of::breaker));
    CHECK(it.begins(of::breaker, errc::not_connected));
    CHECK_FALSE(it.begins(of::breaker, errc::not_connected));
    CHECK(it.had(of::connection));
    CHECK(it.had(of::breaker));
    it.ends();
    CHECK_FALSE(it.ongoing());
    CHECK(it.begins(of::connection, last_errc));
    CHECK_FALSE(it.had(of::breaker));
}

TEST_CASE("what fails single calls is told once on each connection, and is no outage")
{
    outage_record it;
    CHECK(it.remarks(errc::script));
    CHECK_FALSE(it.remarks(errc::script));
    CHECK(it.remarks(errc::refused_login));
    CHECK_FALSE(it.ongoing());
    CHECK(it.begins(of::connection, errc::not_connected));
    it.ends();
    CHECK_FALSE(it.remarks(errc::script));
    it.connected();
    CHECK(it.remarks(errc::script));
}

} // namespace penstock::limiter::redis
