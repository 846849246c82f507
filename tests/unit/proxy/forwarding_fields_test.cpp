#include "proxy/forwarding_fields.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace penstock;
using namespace penstock::proxy;

namespace {

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

std::string written_of(std::vector<base::field> const& fields, peer_trust trust)
{
    std::string out;
    append_forwarding_fields(out, context_with(fields, trust));
    return out;
}

// The context of a trusted peer whose source said that 198.51.100.7 is calling.
forwarding_context told(told_by source, std::vector<base::field> const& fields)
{
    auto context = context_with(fields, peer_trust::trusted);
    context.client = base::ip_address::parse("198.51.100.7");
    context.source = source;
    return context;
}

std::string written(forwarding_context const& context)
{
    std::string out;
    append_forwarding_fields(out, context);
    return out;
}

connection_options options(std::initializer_list<std::string_view> lines)
{
    connection_options connection;
    for (auto const line : lines) connection.add(line);
    return connection;
}

constexpr std::string_view plain_rest = "X-Forwarded-Proto: http\r\nX-Forwarded-Host: example.com\r\nVia: 1.1 penstock\r\n";

} // namespace

TEST_CASE("H1-30, H1-46, H1-70, H1-71, IP-6, IP-14, IP-15: what a request loses on its way, and what names the client in it")
{
    using enum field_fate;
    struct row {
        std::string_view name;
        field_fate untrusted;
        field_fate unread; // from a trusted peer whose fields are not looked at
        field_fate chain;  // from one that is believed by a chain
        field_fate single; // from one that is believed by X-Azure-ClientIP
    };
    connection_options const connection = options({"X-Foo"});
    for (auto const& r : {
             row{"Connection", removed, removed, removed, removed},
             row{"Keep-Alive", removed, removed, removed, removed},
             row{"Proxy-Connection", removed, removed, removed, removed},
             row{"TE", removed, removed, removed, removed},
             row{"Transfer-Encoding", removed, removed, removed, removed},
             row{"Upgrade", removed, removed, removed, removed},
             row{"Proxy-Authorization", removed, removed, removed, removed},
             row{"HTTP2-Settings", removed, removed, removed, removed},
             row{"Content-Length", removed, removed, removed, removed},
             row{"Host", removed, removed, removed, removed},
             row{"Via", removed, removed, removed, removed},
             row{"Expect", removed, removed, removed, removed},
             row{"Forwarded", removed, removed, removed, removed},
             row{"X-Forwarded-For", removed, removed, removed, removed},
             row{"X-HTTP-Method-Override", removed, removed, removed, removed},
             row{"X-Original-URL", removed, removed, removed, removed},
             row{"a_b", removed, removed, removed, removed},
             row{"X_Forwarded_For", removed, removed, removed, removed},
             row{"X_Azure_ClientIP", removed, removed, removed, removed},
             row{"X-Foo", removed, removed, removed, removed}, // named by Connection
             row{"X-Bar", copied, copied, copied, copied},
             row{"Trailer", copied, copied, copied, copied},
             row{"Authorization", copied, copied, copied, copied},
             row{"X-Forwarded-Prefix", removed, copied, copied, copied},
             row{"X-Real-IP", removed, copied, names_client, names_client},
             row{"CF-Connecting-IP", removed, copied, names_client, names_client},
             row{"X-Azure-ClientIP", copied, copied, copied, names_client},
         }) {
        CAPTURE(r.name);
        std::vector<base::field> const none;
        auto const stranger = context_with(none, peer_trust::untrusted);
        CHECK(fate_of(r.name, connection, stranger) == r.untrusted);
        CHECK(fate_of(r.name, connection, told(told_by::nothing, none)) == r.unread);
        CHECK(fate_of(r.name, connection, told(told_by::x_forwarded_for, none)) == r.chain);
        CHECK(fate_of(r.name, connection, told(told_by::forwarded, none)) == r.chain);
        auto context = told(told_by::single_field, none);
        context.source_field = "x-azure-clientip";
        CHECK(fate_of(r.name, connection, context) == r.single);
    }
}

TEST_CASE("IP-14: the configured field of a stranger is removed, and so is one that would name nobody")
{
    std::vector<base::field> const none;
    auto context = told(told_by::single_field, none);
    context.source_field = "x-azure-clientip";
    context.client.reset();
    CHECK(fate_of("X-Azure-ClientIP", {}, context) == field_fate::removed);
    context.trust = peer_trust::untrusted;
    context.client = context.peer;
    CHECK(fate_of("X-Azure-ClientIP", {}, context) == field_fate::removed);
}

TEST_CASE("H1-72, IP-16: Connection cannot remove what both ends rely on")
{
    auto const connection = options({"Authorization, Cookie, X-API-Key, RateLimit, X-Real-IP, Forwarded"});
    std::vector<base::field> const none;
    for (std::string_view const name : {"Authorization", "Cookie", "X-API-Key", "RateLimit"}) {
        CAPTURE(name);
        CHECK(fate_of(name, connection, context_with(none, peer_trust::untrusted)) == field_fate::copied);
    }
    CHECK(fate_of("X-Real-IP", connection, told(told_by::nothing, none)) == field_fate::copied);
    CHECK(fate_of("X-Real-IP", connection, told(told_by::x_forwarded_for, none)) == field_fate::names_client);

    std::vector<base::field> const chained{{"Connection", "X-Forwarded-For, Via"}, {"X-Forwarded-For", "198.51.100.7"}};
    auto const lines = written(told(told_by::x_forwarded_for, chained));
    CHECK(lines.find("X-Forwarded-For: 198.51.100.7, 10.0.0.1\r\n") != std::string::npos);
}

TEST_CASE("IP-6, IP-17, H1-73: an untrusted peer's forwarding fields are replaced")
{
    CHECK(written_of({{"X-Forwarded-For", "1.2.3.4"},
                      {"X-Forwarded-Proto", "https"},
                      {"X-Forwarded-Host", "bank.example"},
                      {"X-Forwarded-Port", "443"}},
                     peer_trust::untrusted) ==
          "X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: example.com\r\nVia: 1.1 penstock\r\n");
}

TEST_CASE("IP-6, IP-17, H1-73: a trusted peer's chain is kept and extended")
{
    CHECK(
        written_of({{"X-Forwarded-For", "6.6.6.6"},
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
        auto const lines = written_of({{r.name, r.value}}, peer_trust::trusted);
        CAPTURE(lines);
        CHECK(lines.find(r.replaced_by) != std::string::npos);
        CHECK(lines.find(r.value == "0" ? "Port" : r.value) == std::string::npos);
    }
    auto const twice = written_of({{"X-Forwarded-Proto", "https"}, {"X-Forwarded-Proto", "https"}}, peer_trust::trusted);
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

TEST_CASE("IP-25: Forwarded as the source is kept and extended, and X-Forwarded-* say the same")
{
    std::vector<base::field> const fields{
        {"X-Forwarded-For", "6.6.6.6"}, // contradicts
        {"X-Forwarded-Proto", "http"},
        {"X-Forwarded-Port", "80"},
        {"Forwarded", R"(for=198.51.100.7;proto=https;host="Shop.example:8443";ext="a,b")"},
        {"forwarded", R"(for="[2001:db8::2]:80";by=_edge, for=_hidden)"},
    };
    auto context = told(told_by::forwarded, fields);
    context.forwarded_proto = "https";
    context.forwarded_host = R"("Shop.example:8443")";
    CHECK(written(context) == "X-Forwarded-For: 198.51.100.7, 2001:db8::2, unknown, 10.0.0.1\r\n"
                              "X-Forwarded-Proto: https\r\nX-Forwarded-Host: Shop.example:8443\r\n"
                              "Forwarded: for=198.51.100.7;proto=https;host=\"Shop.example:8443\";ext=\"a,b\", "
                              "for=\"[2001:db8::2]:80\";by=_edge, for=_hidden, for=10.0.0.1;host=example.com;proto=http\r\n"
                              "Via: 1.1 penstock\r\n");
}

TEST_CASE("IP-6, IP-25, IP-26: a stranger's Forwarded is replaced; where it is not the source, it is removed")
{
    std::vector<base::field> const fields{{"Forwarded", "for=1.2.3.4"}, {"X-Forwarded-For", "1.2.3.4"}};
    auto context = told(told_by::forwarded, fields);
    context.trust = peer_trust::untrusted;
    context.peer = base::ip_address::parse("2001:db8::1");
    context.authority = "[2001:db8::80]:8080";
    context.forwarded_by = "_penstock";
    CHECK(written(context) == "X-Forwarded-For: 2001:db8::1\r\nX-Forwarded-Proto: http\r\n"
                              "X-Forwarded-Host: [2001:db8::80]:8080\r\n"
                              "Forwarded: for=\"[2001:db8::1]\";by=_penstock;host=\"[2001:db8::80]:8080\";proto=http\r\n"
                              "Via: 1.1 penstock\r\n");
    for (auto const source : {told_by::nothing, told_by::x_forwarded_for, told_by::single_field})
        CHECK(written(told(source, fields)).find("\nForwarded:") == std::string::npos);
}

TEST_CASE("IP-17: what Forwarded says of scheme and host is checked, too")
{
    std::vector<base::field> const none;
    struct row {
        std::string_view proto, host, shown;
    };
    for (auto const& r : {
             row{"javascript", "a.example", "X-Forwarded-Proto: http\r\nX-Forwarded-Host: a.example\r\n"},
             row{"HTTPS", R"("u@evil")", "X-Forwarded-Proto: HTTPS\r\nX-Forwarded-Host: example.com\r\n"},
             row{R"("htt\ps")", R"("a\.example:80")", "X-Forwarded-Proto: https\r\nX-Forwarded-Host: a.example:80\r\n"},
             row{R"("")", R"("")", "X-Forwarded-Proto: http\r\nX-Forwarded-Host: example.com\r\n"},
             row{"", "", "X-Forwarded-Proto: http\r\nX-Forwarded-Host: example.com\r\n"},
         }) {
        CAPTURE(r.proto);
        auto context = told(told_by::forwarded, none);
        context.forwarded_proto = r.proto;
        context.forwarded_host = r.host;
        auto const lines = written(context);
        CAPTURE(lines);
        CHECK(lines.find(r.shown) != std::string::npos);
    }
}

TEST_CASE("IP-23, IP-25: of a Forwarded that is broken, what stands to the right of the break is passed on")
{
    struct row {
        std::vector<std::string_view> lines;
        std::string_view forwarded, forwarded_for;
    };
    for (auto const& r : std::vector<row>{
             {{R"(for=", for=198.51.100.7)"}, "for=198.51.100.7, ", "198.51.100.7, "},
             {{"for=6.6.6.6, garbage, for=198.51.100.7"}, "for=198.51.100.7, ", "198.51.100.7, "},
             {{"for=6.6.6.6, garbage"}, "", ""},
             {{"for=6.6.6.6", "garbage", "for=198.51.100.7"}, "for=198.51.100.7, ", "198.51.100.7, "},
             {{"for=6.6.6.6", "garbage,for=_b", "for=198.51.100.7"}, "for=_b, for=198.51.100.7, ", "unknown, 198.51.100.7, "},
             {{"", " ,", "for=198.51.100.7,,"}, "for=198.51.100.7,,, ", "198.51.100.7, "},
             {{"garbage", ""}, "", ""},
         }) {
        std::vector<base::field> fields{{"Host", "example.com"}};
        for (auto const line : r.lines) fields.push_back({"Forwarded", line});
        CAPTURE(r.lines[0]);
        auto const lines = written(told(told_by::forwarded, fields));
        CAPTURE(lines);
        CHECK(lines.find("\r\nForwarded: " + std::string{r.forwarded} + "for=10.0.0.1;host") != std::string::npos);
        CHECK(lines.starts_with("X-Forwarded-For: " + std::string{r.forwarded_for} + "10.0.0.1\r\n"));
    }
}

TEST_CASE("IP-23: a Forwarded of very many elements is passed on")
{
    std::string line;
    for (int i = 0; i < 50'000; ++i) line += "for=_a,";
    std::vector<base::field> const fields{{"Forwarded", line}};
    auto const lines = written(told(told_by::forwarded, fields));
    CHECK(lines.find("unknown, unknown, 10.0.0.1\r\n") != std::string::npos);
}

TEST_CASE("IP-14, IP-25: where one field names the client, the chain is that client and the peer")
{
    std::vector<base::field> const fields{{"X-Real-IP", "198.51.100.7"}, {"X-Forwarded-For", "6.6.6.6"}};
    CHECK(written(told(told_by::single_field, fields)) ==
          "X-Forwarded-For: 198.51.100.7, 10.0.0.1\r\n" + std::string{plain_rest});
    auto unnamed = told(told_by::single_field, fields);
    unnamed.client = unnamed.peer;
    CHECK(written(unnamed) == "X-Forwarded-For: 10.0.0.1\r\n" + std::string{plain_rest});
}

TEST_CASE("IP-18: a unix socket adds no address to Forwarded either")
{
    std::vector<base::field> const fields{{"Forwarded", "for=198.51.100.7"}};
    auto context = told(told_by::forwarded, fields);
    context.peer.reset();
    auto const lines = written(context);
    CHECK(lines.starts_with("X-Forwarded-For: 198.51.100.7\r\n"));
    CHECK(lines.find("\r\nForwarded: for=198.51.100.7\r\n") != std::string::npos);
    context.trust = peer_trust::untrusted;
    CHECK(written(context) == plain_rest);
}
