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

forwarding_context context_with(std::vector<base::field> const& fields, peer_trust trust)
{
    forwarding_context context;
    context.fields = fields;
    context.peer = base::ip_address::parse("10.0.0.1");
    context.trust = trust;
    context.scheme = "http";
    context.authority = "example.com";
    context.received_protocol = "1.1";
    context.via_name = "penstock";
    return context;
}

std::string written(std::vector<base::field> const& fields, peer_trust trust)
{
    std::string out;
    append_forwarding_fields(out, context_with(fields, trust));
    return out;
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
             row{"X-Forwarded-Prefix", client_claim},
             row{"X-Real-IP", client_claim},
             row{"CF-Connecting-IP", client_claim},
             row{"True-Client-IP", client_claim},
             row{"Fastly-Client-IP", client_claim},
             row{"X-Client-IP", client_claim},
             row{"X-Cluster-Client-IP", client_claim},
             row{"X-Original-Forwarded-For", client_claim},
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
    CHECK_FALSE(forwards_request_field("X-Foo", connection, peer_trust::trusted));
    CHECK_FALSE(forwards_response_field("X-Foo", connection));
    CHECK(forwards_request_field("X-Other", connection, peer_trust::untrusted));
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
        CHECK(forwards_request_field(name, connection, peer_trust::untrusted));
        CHECK(forwards_response_field(name, connection));
    }
    CHECK(forwards_request_field("X-Real-IP", options({"X-Real-IP"}), peer_trust::trusted));

    auto const forged =
        written({{"Connection", "X-Forwarded-For, Via"}, {"X-Forwarded-For", "198.51.100.7"}}, peer_trust::trusted);
    CHECK(forged.find("X-Forwarded-For: 198.51.100.7, 10.0.0.1\r\n") != std::string::npos);
}

TEST_CASE("H1-70: more names than are held are noticed")
{
    connection_options connection;
    for (std::size_t i = 0; i < connection_options::most_names; ++i) connection.add("close, a");
    CHECK_FALSE(connection.too_many());
    connection.add("b");
    CHECK(connection.too_many());
}

TEST_CASE("H1-30, H1-46, H1-71, IP-6, IP-14, IP-15: what a request loses on its way")
{
    connection_options const none;
    for (std::string_view const name : {"Connection", "Keep-Alive", "Proxy-Connection", "TE", "Transfer-Encoding", "Upgrade",
                                        "Proxy-Authorization", "HTTP2-Settings", "Content-Length", "Host", "Via", "Expect",
                                        "Forwarded", "X-Forwarded-For", "X-HTTP-Method-Override", "X-Original-URL", "a_b"}) {
        CAPTURE(name);
        CHECK_FALSE(forwards_request_field(name, none, peer_trust::untrusted));
        CHECK_FALSE(forwards_request_field(name, none, peer_trust::trusted));
    }
    CHECK_FALSE(forwards_request_field("X-Real-IP", none, peer_trust::untrusted));
    CHECK(forwards_request_field("X-Real-IP", none, peer_trust::trusted));
    CHECK_FALSE(forwards_request_field("X-Forwarded-Prefix", none, peer_trust::untrusted));
    CHECK(forwards_request_field("Trailer", none, peer_trust::untrusted));
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

TEST_CASE("IP-6, IP-17, H1-73: an untrusted peer's forwarding fields are replaced")
{
    CHECK(written({{"X-Forwarded-For", "1.2.3.4"},
                   {"X-Forwarded-Proto", "https"},
                   {"X-Forwarded-Host", "bank.example"},
                   {"X-Forwarded-Port", "443"}},
                  peer_trust::untrusted) ==
          "X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: example.com\r\nVia: 1.1 penstock\r\n");
}

TEST_CASE("IP-6, IP-17, H1-73: a trusted peer's chain is kept and extended")
{
    CHECK(
        written({{"X-Forwarded-For", "6.6.6.6"},
                 {"Via", "1.0 edge"},
                 {"x-forwarded-for", "198.51.100.7"},
                 {"X-Forwarded-Proto", "https"},
                 {"X-Forwarded-Host", "Shop.example:8443"},
                 {"X-Forwarded-Port", "8443"},
                 {"VIA", "1.1 inner"}},
                peer_trust::trusted) ==
        "X-Forwarded-For: 6.6.6.6, 198.51.100.7, 10.0.0.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: Shop.example:8443\r\n"
        "X-Forwarded-Port: 8443\r\nVia: 1.0 edge, 1.1 inner, 1.1 penstock\r\n");
}

TEST_CASE("IP-17: what a trusted peer says is checked")
{
    struct row {
        std::string_view name, value, replaced_by;
    };
    for (auto const& r : {
             row{"X-Forwarded-Proto", "javascript", "X-Forwarded-Proto: http\r\n"},
             row{"X-Forwarded-Proto", "https, http", "X-Forwarded-Proto: http\r\n"},
             row{"X-Forwarded-Host", "a, b", "X-Forwarded-Host: example.com\r\n"},
             row{"X-Forwarded-Host", "u@evil", "X-Forwarded-Host: example.com\r\n"},
             row{"X-Forwarded-Port", "0", "example.com\r\nVia"},
             row{"X-Forwarded-Port", "65536", "example.com\r\nVia"},
             row{"X-Forwarded-Port", "80x", "example.com\r\nVia"},
         }) {
        CAPTURE(r.value);
        auto const lines = written({{r.name, r.value}}, peer_trust::trusted);
        CAPTURE(lines);
        CHECK(lines.find(r.replaced_by) != std::string::npos);
        CHECK(lines.find(r.value == "0" ? "Port" : r.value) == std::string::npos);
    }
    auto const twice = written({{"X-Forwarded-Proto", "https"}, {"X-Forwarded-Proto", "https"}}, peer_trust::trusted);
    CHECK(twice.find("X-Forwarded-Proto: http\r\n") != std::string::npos);
}

TEST_CASE("IP-18: a unix socket adds no address")
{
    std::vector<base::field> const fields{{"X-Forwarded-For", "198.51.100.7"}};
    auto context = context_with(fields, peer_trust::trusted);
    context.peer.reset();
    std::string out;
    append_forwarding_fields(out, context);
    CHECK(out.starts_with("X-Forwarded-For: 198.51.100.7\r\n"));

    context.trust = peer_trust::untrusted;
    out.clear();
    append_forwarding_fields(out, context);
    CHECK(out.starts_with("X-Forwarded-Proto: http\r\n"));
}

TEST_CASE("H1-73: Via tells the protocol that was received")
{
    auto context = context_with({}, peer_trust::untrusted);
    context.received_protocol = "1.0";
    std::string out;
    append_forwarding_fields(out, context);
    CHECK(out.ends_with("Via: 1.0 penstock\r\n"));
}

TEST_CASE("H1-76: a request of HTTP/1.0 that named no host has none forwarded")
{
    auto context = context_with({}, peer_trust::untrusted);
    context.authority = {};
    std::string out;
    append_forwarding_fields(out, context);
    CHECK(out.find("X-Forwarded-Host") == std::string::npos);
}
