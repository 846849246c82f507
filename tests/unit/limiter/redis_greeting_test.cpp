#include "limiter/error.hpp"
#include "limiter/redis/greeting.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace penstock::limiter::redis {
namespace {

reply status(std::string_view text) { return {reply::type::status, text, text.size()}; }
reply error(std::string_view text) { return {reply::type::error, text, text.size()}; }
reply array(std::string_view text) { return {reply::type::array, text, text.size()}; }

redis_settings everything()
{
    redis_settings wanted;
    wanted.user = "gate";
    wanted.database = 3;
    wanted.sentinels.emplace().primary = "main";
    return wanted;
}

} // namespace

TEST_CASE("the shortest greeting is a PING")
{
    greeting it;
    std::string out;
    it.begin(out, {}, "");
    CHECK(out == "*1\r\n$4\r\nPING\r\n");
    CHECK(*it.take(status("PONG")) == greeting::step::welcome);
    CHECK(it.take(status("PONG")).error() == errc::protocol); // nothing more was asked
}

TEST_CASE("login, database, role, PING: in this order, and welcome after the last")
{
    greeting it;
    std::string out;
    it.begin(out, everything(), "pw");
    CHECK(out == "*3\r\n$4\r\nAUTH\r\n$4\r\ngate\r\n$2\r\npw\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n*1\r\n$4\r\nROLE\r\n"
                 "*1\r\n$4\r\nPING\r\n");
    CHECK(*it.take(status("OK")) == greeting::step::more);
    CHECK(*it.take(status("OK")) == greeting::step::more);
    CHECK(*it.take(array("master\n")) == greeting::step::more);
    CHECK(*it.take(status("PONG")) == greeting::step::welcome);
}

TEST_CASE("what is no welcome")
{
    struct row {
        char const* name;
        std::vector<reply> before;
        reply last;
        errc expected;
    };
    for (auto const& row : {
             row{"wrong password", {}, error("WRONGPASS invalid username-password pair"), errc::refused_login},
             row{"loading", {status("OK")}, error("LOADING Redis is loading the dataset in memory"), errc::loading},
             row{"a replica", {status("OK"), status("OK")}, array("slave\n127.0.0.1\nconnected\n"), errc::read_only},
             row{"a sentinel", {status("OK"), status("OK")}, array("sentinel\n"), errc::protocol},
             row{"no right to ask",
                 {status("OK"), status("OK")},
                 error("NOPERM this user has no permissions"),
                 errc::refused_login},
             row{"a role that is none", {status("OK"), status("OK")}, status("OK"), errc::protocol},
             row{"an array where a status belongs", {status("OK")}, array("master\n"), errc::protocol},
         }) {
        CAPTURE(row.name);
        greeting it;
        std::string out;
        it.begin(out, everything(), "pw");
        for (auto const& each : row.before) CHECK(it.take(each).has_value());
        CHECK(it.take(row.last).error() == row.expected);
    }
}

} // namespace penstock::limiter::redis
