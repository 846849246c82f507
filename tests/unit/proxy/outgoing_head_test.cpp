#include "proxy/outgoing_head.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace penstock;
using namespace penstock::proxy;

TEST_CASE("IP-14, IP-25: every field that names the client is sent once, with the one address")
{
    request_head received;
    received.method = "GET";
    received.fields = {{"Host", "example.com"},        {"x-real-ip", "6.6.6.6"},    {"X-Azure-ClientIP", "6.6.6.6"},
                       {"X-Real-IP", "198.51.100.7"},  {"X-Real_IP", "6.6.6.6"},    {"Accept", "*/*"},
                       {"X-Forwarded-For", "6.6.6.6"}, {"Forwarded", "for=6.6.6.6"}};
    forwarding_context context;
    context.fields = received.fields;
    context.peer = base::ip_address::parse("10.0.0.1");
    context.client = base::ip_address::parse("2001:db8::7");
    context.trust = peer_trust::trusted;
    context.source = told_by::single_field;
    context.source_field = "x-azure-clientip";
    context.scheme = "http";
    context.authority = "example.com";
    context.received_protocol = "1.1";
    context.via_name = "penstock";
    std::string out;
    REQUIRE(write_outgoing_head(out, {received, "/", context, {}, {}}));
    CHECK(out == "GET / HTTP/1.1\r\nHost: example.com\r\nx-real-ip: 2001:db8::7\r\nX-Azure-ClientIP: 2001:db8::7\r\n"
                 "Accept: */*\r\nX-Forwarded-For: 2001:db8::7, 10.0.0.1\r\nX-Forwarded-Proto: http\r\n"
                 "X-Forwarded-Host: example.com\r\nVia: 1.1 penstock\r\n\r\n");

    context.trust = peer_trust::untrusted;
    context.client = context.peer;
    REQUIRE(write_outgoing_head(out, {received, "/", context, {}, {}}));
    CHECK(out.find("6.6.6.6") == std::string::npos);
    CHECK(out.find("IP") == std::string::npos);
}

TEST_CASE("H1-72, IP-16: Connection takes no field off in which callers say who they are")
{
    request_head received;
    received.method = "GET";
    received.fields = {{"Connection", "close, x-partner, X-Other"}, {"X-Partner", "key-1"}, {"X-Other", "1"}};
    std::string_view const key_fields[] = {"x-tenant", "x-partner"};
    forwarding_context context;
    context.fields = received.fields;
    context.key_fields = key_fields;
    std::string out;
    REQUIRE(write_outgoing_head(out, {received, "/", context, {}, {}}));
    CHECK(out.find("\r\nX-Partner: key-1\r\n") != std::string::npos);
    CHECK(out.find("X-Other") == std::string::npos);
}
