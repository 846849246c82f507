#include "limiter/redis/slots_outage.hpp"
#include "tests/unit/limiter/claims.hpp"

#include <doctest/doctest.h>

namespace penstock::limiter::redis {

using limiter::tests::start;
using namespace std::chrono_literals;

namespace {

using answer = base::result<std::vector<reply_token>>;
constexpr breaker_settings three{.failures = 3};

answer error_reply(std::string text)
{
    return std::vector<reply_token>{{.what = reply_token::kind::error, .text = std::move(text)}};
}

} // namespace

TEST_CASE("calls wait for the slots until that was in vain so often in a row, and then none does until they are known")
{
    slots_outage slots(three, 1);
    CHECK(slots.may_wait());
    CHECK_FALSE(slots.failed(errc::not_connected, start));
    CHECK_FALSE(slots.failed(errc::timed_out, start + 1s));
    CHECK(slots.may_wait());
    CHECK(slots.trouble().empty());
    CHECK(slots.failed(errc::not_connected, start + 2s));
    CHECK_FALSE(slots.may_wait());
    CHECK(slots.now_in() == breaker::state::open);
    CHECK(slots.trouble() == "breaker open: not_connected: nobody tells the slots of the cluster");
    // Said once, and no time alone lets anybody wait again.
    for (int i = 0; i < 100; ++i) {
        CHECK_FALSE(slots.failed(errc::refused_login, start + i * 1min));
        CHECK_FALSE(slots.may_wait());
    }
    slots.ends(start + 3h);
    CHECK(slots.may_wait());
    CHECK(slots.now_in() == breaker::state::closed);
    CHECK(slots.trouble().empty());
}

TEST_CASE("slots that become known in time begin the count anew")
{
    slots_outage slots(three, 2);
    for (int i = 0; i < 5; ++i) {
        CHECK_FALSE(slots.failed(errc::timed_out, start));
        CHECK_FALSE(slots.failed(errc::timed_out, start));
        slots.ends(start);
    }
}

TEST_CASE("what is certain needs no repetition; what is no reason to stop asking is none here either")
{
    for (auto const why : {errc::refused_login, errc::loading}) {
        slots_outage slots(three, 3);
        CHECK(slots.failed(why, start));
    }
    slots_outage slots(three, 4);
    for (int i = 0; i < 10; ++i) CHECK_FALSE(slots.failed(errc::overloaded, start));
}

TEST_CASE("other figures of the breaker hold from now on")
{
    slots_outage slots(three, 5);
    slots.adopt({.failures = 1}, start);
    CHECK(slots.failed(errc::timed_out, start));
}

TEST_CASE("a failed question says of what kind the failure is, in the server's words where it has some")
{
    struct row {
        answer got;
        bool is_map;
        errc why;
        std::string words;
    };
    for (auto const& row : {
             row{errc::timed_out, false, errc::timed_out, make_error_code(errc::timed_out).message()},
             row{errc::tls, false, errc::tls, make_error_code(errc::tls).message()},
             row{make_error_code(boost::system::errc::connection_refused), false, errc::not_connected,
                 make_error_code(boost::system::errc::connection_refused).message()},
             row{error_reply("WRONGPASS invalid username-password pair or user is disabled."), false, errc::refused_login,
                 "WRONGPASS invalid username-password pair or user is disabled."},
             row{error_reply("NOPERM this user has no permissions to run the 'cluster|slots' command"), false,
                 errc::refused_login, "NOPERM this user has no permissions to run the 'cluster|slots' command"},
             row{error_reply("ERR This instance has cluster support disabled"), false, errc::cluster,
                 "ERR This instance has cluster support disabled"},
             row{std::vector<reply_token>{{.what = reply_token::kind::array, .text = {}}}, true, errc::cluster,
                 "no slot has an owner"},
             row{std::vector<reply_token>{{.what = reply_token::kind::nil, .text = {}}}, false, errc::protocol,
                 "the answer makes no sense"},
         }) {
        auto const failure = failure_of(row.got, row.is_map);
        CAPTURE(row.words);
        CHECK(failure.why == row.why);
        CHECK(failure.words == row.words);
    }
}

} // namespace penstock::limiter::redis
