#include "limiter/error.hpp"
#include "limiter/redis/sentinel_codec.hpp"

#include <doctest/doctest.h>

#include <span>
#include <string>
#include <string_view>

namespace penstock::limiter::redis {
namespace {

// As it comes over the wire.
base::result<redis_address> decoded(std::string_view bytes)
{
    reply_reader reader;
    REQUIRE_FALSE(reader.feed({bytes.data(), bytes.size()}));
    auto const whole = reader.next();
    REQUIRE(whole.has_value());
    REQUIRE(whole->has_value());
    return decode_primary(**whole);
}

} // namespace

TEST_CASE("what a sentinel is asked")
{
    std::string out;
    append_find_primary(out, "main");
    CHECK(out == "*3\r\n$8\r\nSENTINEL\r\n$23\r\nGET-MASTER-ADDR-BY-NAME\r\n$4\r\nmain\r\n");
}

TEST_CASE("where the primary is")
{
    CHECK(*decoded("*2\r\n$9\r\n127.0.0.1\r\n$4\r\n6380\r\n") == redis_address{"127.0.0.1", 6380});
    CHECK(*decoded("*2\r\n$3\r\n::1\r\n$5\r\n65535\r\n") == redis_address{"::1", 65535});
    CHECK(decoded("*-1\r\n").error() == errc::no_primary);
    CHECK(decoded("-NOAUTH Authentication required.\r\n").error() == errc::refused_login);
    for (auto const* bytes :
         {"+OK\r\n", "*0\r\n", "*1\r\n$1\r\nh\r\n", "*2\r\n$1\r\nh\r\n$1\r\n0\r\n", "*2\r\n$1\r\nh\r\n$5\r\n65536\r\n",
          "*2\r\n$1\r\nh\r\n$2\r\n1x\r\n", "*2\r\n$0\r\n\r\n$1\r\n1\r\n", "*3\r\n$1\r\nh\r\n$1\r\n1\r\n$1\r\n2\r\n"}) {
        CAPTURE(bytes);
        CHECK(decoded(bytes).error() == errc::protocol);
    }
}

TEST_CASE("news of a move, of this primary alone")
{
    auto const told = [](std::string_view text) {
        return decode_moved_primary({reply::type::array, text, text.size()}, "main");
    };
    CHECK(told("message\n+switch-master\nmain 10.0.0.1 6379 10.0.0.2 6380\n") == redis_address{"10.0.0.2", 6380});
    CHECK(told("message\n+switch-master\nmain ::1 6379 ::2 6380\n") == redis_address{"::2", 6380});
    CHECK(told("message\n+promoted-slave\nslave 10.0.0.2:6380 10.0.0.2 6380 @ main 10.0.0.1 6379\n") ==
          redis_address{"10.0.0.2", 6380});
    for (auto const* text :
         {"message\n+promoted-slave\nslave h:2 h 2 @ main2 h 1\n", "message\n+promoted-slave\nmaster h:2 h 2 @ main h 1\n",
          "message\n+promoted-slave\nslave h:2 h x @ main h 1\n", "message\n+promoted-slave\nslave main\n",
          "message\n+promoted-slave\n", "subscribe\n+switch-master\n", "message\n+switch-master\nmain2 h 1 h 2\n",
          "message\n+sdown\nmain h 1 h 2\n", "message\n+switch-master\nmain h 1 h\n",
          "message\n+switch-master\nmain h 1 h 2 3\n", "message\n+switch-master\n", ""}) {
        CAPTURE(text);
        CHECK_FALSE(told(text));
    }
    CHECK_FALSE(decode_moved_primary({reply::type::bulk, "x", 1}, "main"));
}

TEST_CASE("each channel is subscribed to by itself, and news is told from the reply to that")
{
    std::string out;
    for (auto const channel : news_channels) append_subscribe(out, channel);
    CHECK(out == "*2\r\n$9\r\nSUBSCRIBE\r\n$14\r\n+switch-master\r\n*2\r\n$9\r\nSUBSCRIBE\r\n$15\r\n+promoted-slave\r\n");
    CHECK(is_news({reply::type::array, "message\n+switch-master\nother 127.0.0.1 1 127.0.0.1 2\n", 60}));
    CHECK_FALSE(is_news({reply::type::array, "subscribe\n+switch-master\n", 25}));
    CHECK_FALSE(is_news({reply::type::error, "message\n", 8}));
}

} // namespace penstock::limiter::redis
