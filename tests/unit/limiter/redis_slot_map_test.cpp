#include "limiter/error.hpp"
#include "limiter/redis/slot_map.hpp"

#include <doctest/doctest.h>

#include <string>

namespace penstock::limiter::redis {
namespace {

redis_address const said_by{"10.0.0.9", 7000};

// The reply of a node, byte for byte, through the reader.
std::vector<reply_token> tokens_of(std::string_view bytes)
{
    token_reader reader;
    // In pieces, as a socket brings them.
    for (std::size_t at = 0; at < bytes.size(); at += 7) {
        auto const piece = bytes.substr(at, 7);
        REQUIRE_FALSE(reader.feed({piece.data(), piece.size()}));
        if (at + 7 < bytes.size()) REQUIRE(reader.next()->empty());
    }
    auto got = reader.next();
    REQUIRE(got.has_value());
    return std::move(*got);
}

std::string bulk(std::string_view text) { return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n"; }

std::string node(std::string_view host, int port, std::string_view more = "")
{
    return (more.empty() ? "*3\r\n" : "*4\r\n") + bulk(host) + ":" + std::to_string(port) + "\r\n" + bulk("id") +
           std::string(more);
}

std::string range(int first, int last, std::string const& nodes, int count)
{
    return "*" + std::to_string(2 + count) + "\r\n:" + std::to_string(first) + "\r\n:" + std::to_string(last) + "\r\n" + nodes;
}

auto const whole_cluster = "*3\r\n" + range(0, 5460, node("10.0.0.1", 7000) + node("10.0.0.4", 7003), 2) +
                           range(5461, 10922, node("10.0.0.2", 7001, "*2\r\n" + bulk("hostname") + bulk("two.example")), 1) +
                           range(10923, 16383, node("", 7002), 1);

} // namespace

TEST_CASE("CLUSTER SLOTS as Redis 6 and 7 answer it")
{
    auto const map = slot_map::read(tokens_of(whole_cluster), said_by);
    REQUIRE(map);
    CHECK(map->covers_all());
    CHECK(map->unowned() == slot_map::gap{});
    REQUIRE(map->primaries().size() == 3);
    CHECK(map->primaries()[0] == redis_address{"10.0.0.1", 7000});
    CHECK(map->primaries()[1] == redis_address{"10.0.0.2", 7001});
    CHECK(map->primaries()[2] == redis_address{"10.0.0.9", 7002}); // whose host the node did not say
    REQUIRE(map->replicas().size() == 1);
    CHECK(map->replicas()[0] == redis_address{"10.0.0.4", 7003});
    CHECK(map->owner_of(0) == 0);
    CHECK(map->owner_of(5460) == 0);
    CHECK(map->owner_of(5461) == 1);
    CHECK(map->owner_of(16383) == 2);
}

TEST_CASE("slots without an owner, and a cluster without slots")
{
    auto const partly = slot_map::read(tokens_of("*1\r\n" + range(5, 5, node("10.0.0.1", 7000), 1)), said_by);
    REQUIRE(partly);
    CHECK_FALSE(partly->covers_all());
    CHECK(partly->unowned() == slot_map::gap{slot_count - 1, 0});
    auto const but_one =
        slot_map::read(tokens_of("*2\r\n" + range(0, 11999, node("a", 1), 1) + range(12001, 16383, node("a", 1), 1)), said_by);
    CHECK(but_one->unowned() == slot_map::gap{1, 12000});
    CHECK(partly->owner_of(4) == slot_map::nobody);
    CHECK(partly->owner_of(5) == 0);
    auto const none = slot_map::read(tokens_of("*0\r\n"), said_by);
    REQUIRE(none);
    CHECK(none->primaries().empty());
}

TEST_CASE("a slot moves to a node that may be new, until the table is full")
{
    auto map = *slot_map::read(tokens_of(whole_cluster), said_by);
    CHECK(map.move(7, {"10.0.0.2", 7001}));
    CHECK(map.owner_of(7) == 1);
    CHECK(map.owner_of(8) == 0);
    CHECK(map.move(8, {"10.0.0.8", 7008}));
    CHECK(map.owner_of(8) == 3);
    for (auto port = static_cast<std::uint16_t>(1); map.primaries().size() < slot_map::most_nodes; ++port)
        REQUIRE(map.move(9, {"10.1.0.0", port}));
    auto const before = map.owner_of(9);
    CHECK_FALSE(map.move(9, {"10.2.0.0", 1}));
    CHECK(map.owner_of(9) == before);
}

TEST_CASE("nonsense is no map")
{
    for (auto const& text :
         {std::string{"+OK\r\n"}, std::string{":5\r\n"}, std::string{"*1\r\n:5\r\n"}, "*1\r\n" + range(5, 4, node("a", 1), 1),
          "*1\r\n" + range(0, 16384, node("a", 1), 1), "*1\r\n" + range(-1, 4, node("a", 1), 1),
          "*1\r\n" + range(0, 4, node("a", 0), 1), "*1\r\n" + range(0, 4, node("a", 70000), 1),
          std::string{"*1\r\n*2\r\n:0\r\n:1\r\n"}, std::string{"*1\r\n*3\r\n:0\r\n:1\r\n*1\r\n$1\r\na\r\n"},
          std::string{"*1\r\n*3\r\n:0\r\n:1\r\n$1\r\na\r\n"}}) {
        CAPTURE(text);
        CHECK_FALSE(slot_map::read(tokens_of(text), said_by));
    }
}

TEST_CASE("a reply that is too long, or no RESP, is an error before it is whole")
{
    {
        token_reader reader;
        std::string_view const bytes = "*2000000000\r\n";
        CHECK_FALSE(reader.feed({bytes.data(), bytes.size()}));
        CHECK(reader.next().error() == errc::protocol);
    }
    {
        token_reader reader;
        std::string_view const bytes = "HTTP/1.1 400 Bad Request\r\n";
        CHECK_FALSE(reader.feed({bytes.data(), bytes.size()}));
        CHECK(reader.next().error() == errc::protocol);
    }
    token_reader reader;
    std::string const piece(65'536, 'x');
    std::string_view const begin = "$1000000000\r\n";
    CHECK_FALSE(reader.feed({begin.data(), begin.size()}));
    std::size_t fed = 0;
    while (!reader.feed({piece.data(), piece.size()}) && fed < 2 * token_reader::most_bytes) {
        fed += piece.size();
        CHECK(reader.next()->empty());
    }
    CHECK(fed <= token_reader::most_bytes);
}

TEST_CASE("a node's error is told as it is")
{
    auto const tokens = tokens_of("-ERR This instance has cluster support disabled\r\n");
    REQUIRE(tokens.size() == 1);
    CHECK(tokens[0].what == reply_token::kind::error);
    CHECK(tokens[0].text == "ERR This instance has cluster support disabled");
}

} // namespace penstock::limiter::redis
