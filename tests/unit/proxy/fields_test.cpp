#include "proxy/fields.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace penstock;
using namespace penstock::proxy;

namespace {

connection_options options(std::initializer_list<std::string_view> lines)
{
    connection_options connection;
    for (auto const line : lines) connection.add(line);
    return connection;
}

} // namespace

TEST_CASE("H1-30, H1-71, IP-6, IP-14, IP-15: what a field is to a gateway, whatever the case of its name")
{
    struct row {
        std::string_view name;
        field_kind kind;
    };
    using enum field_kind;
    for (auto const& r : {
             row{"Connection", connection},
             row{"Keep-Alive", hop_by_hop},
             row{"Proxy-Connection", hop_by_hop},
             row{"TE", hop_by_hop},
             row{"Proxy-Authenticate", hop_by_hop},
             row{"Proxy-Authorization", hop_by_hop},
             row{"HTTP2-Settings", hop_by_hop},
             row{"Upgrade", upgrade},
             row{"Content-Length", content_length},
             row{"Transfer-Encoding", transfer_encoding},
             row{"Host", host},
             row{"Expect", expect},
             row{"Via", via},
             row{"Forwarded", forwarded_chain},
             row{"X-Forwarded-For", forwarded_chain},
             row{"X-Forwarded-Proto", forwarded_chain},
             row{"X-Forwarded-Host", forwarded_chain},
             row{"X-Forwarded-Port", forwarded_chain},
             row{"X-Forwarded-Prefix", peer_claim},
             row{"X-Real-IP", address_claim},
             row{"CF-Connecting-IP", address_claim},
             row{"True-Client-IP", address_claim},
             row{"Fastly-Client-IP", address_claim},
             row{"X-Client-IP", address_claim},
             row{"X-Cluster-Client-IP", address_claim},
             row{"X-Original-Forwarded-For", address_claim},
             row{"X-HTTP-Method-Override", request_rewrite},
             row{"X-HTTP-Method", request_rewrite},
             row{"X-Method-Override", request_rewrite},
             row{"X-Original-URL", request_rewrite},
             row{"X-Rewrite-URL", request_rewrite},
             row{"X_Forwarded_For", underscore},
             row{"X-Forwarded_For", underscore},
             row{"Trailer", end_to_end},
             row{"Authorization", end_to_end},
             row{"X-API-Key", end_to_end},
             row{"Set-Cookie", end_to_end},
             row{"RateLimit", end_to_end},
             row{"Vic", end_to_end}, // as long as Via
             row{"X", end_to_end},
             row{"", end_to_end},
             row{"X-A-Name-That-Is-Longer-Than-Any-Known-One", end_to_end},
         }) {
        CAPTURE(r.name);
        CHECK(classify_field(r.name) == r.kind);
        std::string lower, upper;
        for (char const c : r.name) {
            lower += c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
            upper += c >= 'a' && c <= 'z' ? static_cast<char>(c & ~0x20) : c;
        }
        CHECK(classify_field(lower) == r.kind);
        CHECK(classify_field(upper) == r.kind);
    }
}

TEST_CASE("H1-70: Connection removes what it names")
{
    auto const connection = options({"close, X-Foo", ",\tx-bar ,"});
    CHECK(connection.close());
    CHECK_FALSE(connection.keep_alive());
    CHECK_FALSE(connection.upgrade());
    CHECK(connection.removes("x-foo"));
    CHECK(connection.removes("X-Bar"));
    CHECK_FALSE(connection.removes("X-Foo2"));
    CHECK_FALSE(connection.removes("close"));
    CHECK_FALSE(forwards_response_field("X-Foo", connection));
    CHECK(forwards_response_field("X-Other", connection));
}

TEST_CASE("H1-70: options have no case")
{
    auto const connection = options({"Keep-Alive", "UPGRADE"});
    CHECK(connection.keep_alive());
    CHECK(connection.upgrade());
    CHECK_FALSE(connection.close());
}

TEST_CASE("H1-72, IP-16: Connection cannot remove what both ends rely on")
{
    auto const connection =
        options({"Authorization, Cookie, X-API-Key, RateLimit, RateLimit-Policy, X-RateLimit-Limit, Set-Cookie, Retry-After"});
    for (std::string_view const name : {"Authorization", "Cookie", "X-API-Key", "RateLimit", "RateLimit-Policy",
                                        "X-RateLimit-Limit", "Set-Cookie", "Retry-After"}) {
        CAPTURE(name);
        CHECK(forwards_response_field(name, connection));
    }
}

TEST_CASE("H1-70: more names than are held are noticed")
{
    connection_options connection;
    for (std::size_t i = 0; i < connection_options::most_names; ++i) connection.add("close, a");
    CHECK_FALSE(connection.too_many());
    connection.add("b");
    CHECK(connection.too_many());
}

TEST_CASE("H1-70, H1-71: what an answer loses on its way")
{
    connection_options const none;
    for (std::string_view const name : {"Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding", "Upgrade",
                                        "Proxy-Authenticate", "Content-Length"}) {
        CAPTURE(name);
        CHECK_FALSE(forwards_response_field(name, none));
    }
    for (std::string_view const name : {"Via", "Set-Cookie", "X_Runtime", "Server", "Content-Type", "RateLimit"}) {
        CAPTURE(name);
        CHECK(forwards_response_field(name, none));
    }
}
