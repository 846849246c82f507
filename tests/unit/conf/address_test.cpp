// The written forms of addresses.
#include "conf/address.hpp"

#include <doctest/doctest.h>

using namespace penstock::conf;

TEST_CASE("where to listen is a literal address or a socket")
{
    auto const v6 = parse_bind_address("[::1]:8080");
    REQUIRE(v6);
    CHECK(v6->host == "::1");
    CHECK(v6->port == 8080);
    CHECK(is_loopback(*v6));
    CHECK(parse_bind_address("0.0.0.0:0")->port == 0);
    CHECK(!is_loopback(*parse_bind_address("0.0.0.0:80")));
    CHECK(is_loopback(*parse_bind_address("127.8.0.1:80")));
    auto const socket = parse_bind_address("unix:/run/p.sock");
    REQUIRE(socket);
    CHECK(socket->unix_path == "/run/p.sock");
    CHECK(is_loopback(*socket));
    for (auto const* text : {"", ":80", "80", "localhost:80", "::1:80", "[::1]", "[127.0.0.1]:80", "127.0.0.1:65536",
                             "127.0.0.1:-1", "127.0.0.1:080", "unix:", "unix:run", "127.1:80"}) {
        CAPTURE(text);
        CHECK(!parse_bind_address(text));
    }
    CHECK(!parse_bind_address("unix:/" + std::string(107, 'a'))); // longer than a socket's address can be
}

TEST_CASE("where an upstream is")
{
    CHECK(parse_endpoint("app:3000")->host == "app");
    CHECK(parse_endpoint("[2001:db8::1]:3000")->host == "2001:db8::1");
    CHECK(parse_endpoint("unix:/run/app.sock")->unix_path == "/run/app.sock");
    CHECK(parse_endpoint("app:3000")->label == "app:3000");
    for (auto const* text : {"app", "app:", "app:0", "app:http", "http://app:80", "a b:80", "-app:80", "10.1:80", "[::1:80"}) {
        CAPTURE(text);
        CHECK(!parse_endpoint(text));
    }
}

TEST_CASE("networks have no bits beyond their prefix")
{
    CHECK(parse_network("10.0.0.0/8"));
    CHECK(parse_network("192.0.2.1"));
    CHECK(parse_network("2001:db8::/32"));
    CHECK(!parse_network("10.0.0.1/8"));
    CHECK(!parse_network("2001:db8::1/32"));
    CHECK(!parse_network("10.0.0.0/33"));
}

TEST_CASE("the host of a route has one spelling")
{
    CHECK(parse_host_pattern("API.Example.com.") == "api.example.com");
    CHECK(parse_host_pattern("*.example.com") == "*.example.com");
    CHECK(parse_host_pattern("[2001:DB8::1]") == "[2001:db8::1]");
    for (auto const* text : {"", "*", "*.", "a.*.com", "example.com:80", "http://example.com", "exa mple.com"}) {
        CAPTURE(text);
        CHECK(!parse_host_pattern(text));
    }
}
