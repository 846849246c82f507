#include "partition/client_address.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

using namespace penstock;
using partition::address_source;
using partition::find_client;

namespace {

partition::client_settings trusting(std::initializer_list<std::string_view> networks)
{
    partition::client_settings settings;
    settings.source = address_source::x_forwarded_for;
    for (auto const text : networks) settings.trusted_proxies.push_back(base::ip_network::parse(text).value());
    return settings;
}

std::vector<base::field> forwarded_for(std::vector<std::string_view> const& lines)
{
    std::vector<base::field> fields{{"Host", "example.com"}};
    for (auto const line : lines) fields.push_back({"X-Forwarded-For", line});
    fields.push_back({"Accept", "*/*"});
    return fields;
}

partition::client_address found(partition::client_settings const& settings, std::string_view peer,
                                std::vector<std::string_view> const& lines)
{
    auto const fields = forwarded_for(lines);
    return find_client(settings, base::ip_address::parse(peer), fields);
}

std::string text_of(partition::client_address const& found) { return found.client ? found.client->to_string() : "nobody"; }

} // namespace

TEST_CASE("IP-1, IP-2, IP-4, IP-5, IP-7, IP-8, IP-10: who is calling behind 10.0.0.0/8")
{
    struct row {
        std::string_view name, peer;
        std::vector<std::string_view> lines;
        std::string_view client;
        bool rejected = false;
    };
    auto const settings = trusting({"10.0.0.0/8", "2001:db8:f::/48"});
    for (auto const& r : std::vector<row>{
             {"IP-1 untrusted peer", "203.0.113.9", {"1.2.3.4"}, "203.0.113.9"},
             {"IP-1 untrusted peer, garbage is not looked at", "203.0.113.9", {"<script>"}, "203.0.113.9"},
             {"IP-2 first untrusted from the right", "10.0.0.1", {"6.6.6.6, 198.51.100.7, 10.0.0.2"}, "198.51.100.7"},
             {"IP-2 all trusted: the leftmost", "10.0.0.1", {"10.0.0.9, 10.0.0.2"}, "10.0.0.9"},
             {"IP-2 no field: the peer", "10.0.0.1", {}, "10.0.0.1"},
             {"IP-2 trusted IPv6", "2001:db8:f::1", {"198.51.100.7, 2001:db8:f:1::2"}, "198.51.100.7"},
             {"IP-5 lines in order", "10.0.0.1", {"6.6.6.6", "198.51.100.7"}, "198.51.100.7"},
             {"IP-5 walk over lines", "10.0.0.1", {"6.6.6.6, 198.51.100.7", "10.0.0.3", "10.0.0.2"}, "198.51.100.7"},
             {"IP-7 white space", "10.0.0.1", {" \t198.51.100.7\t , 10.0.0.2 "}, "198.51.100.7"},
             {"IP-7 empty elements", "10.0.0.1", {",, 198.51.100.7, ,\t,10.0.0.2,", ""}, "198.51.100.7"},
             {"IP-7 only empty elements", "10.0.0.1", {" , ,"}, "10.0.0.1"},
             {"IP-7 garbage reported by a trusted hop", "10.0.0.1", {"evil<script>, 10.0.0.2"}, "10.0.0.2", true},
             {"IP-7 garbage reported by the peer", "10.0.0.1", {"6.6.6.6, unknown"}, "10.0.0.1", true},
             {"IP-7 garbage left of the client", "10.0.0.1", {"evil, 198.51.100.7"}, "198.51.100.7"},
             {"IP-8 port", "10.0.0.1", {"192.0.2.1:1234"}, "192.0.2.1"},
             {"IP-8 port of a trusted hop", "10.0.0.1", {"192.0.2.1, 10.0.0.2:4711"}, "192.0.2.1"},
             {"IP-8 bracketed port", "10.0.0.1", {"[2001:db8::1]:443"}, "2001:db8::1"},
             {"IP-8 brackets alone", "10.0.0.1", {"[2001:db8::1]"}, "2001:db8::1"},
             {"IP-8 no brackets: all address", "10.0.0.1", {"2001:db8::1:443"}, "2001:db8::1:443"},
             {"IP-10 mapped", "10.0.0.1", {"::ffff:198.51.100.7"}, "198.51.100.7"},
             {"IP-10 mapped proxy is trusted", "::ffff:10.0.0.1", {"198.51.100.7, ::ffff:a00:2"}, "198.51.100.7"},
             {"IP-10 not mapped", "10.0.0.1", {"2001:db8:1234:5678::1.2.3.4"}, "2001:db8:1234:5678::102:304"},
         }) {
        CAPTURE(r.name);
        auto const result = found(settings, r.peer, r.lines);
        CHECK(text_of(result) == r.client);
        CHECK(result.rejected_element == r.rejected);
    }
}

TEST_CASE("IP-8, IP-9: what is no address where it counts falls back to the nearest trusted hop")
{
    auto const settings = trusting({"10.0.0.0/8"});
    for (std::string_view const element : {"fe80::1%eth0",
                                           "010.0.0.1",
                                           "127.1",
                                           "0x7f.0.0.1",
                                           "192.0.2.0/24",
                                           "1.2.3.4.5",
                                           "\"2001:db8::1\"",
                                           "\"[2001:db8::1]:80\"",
                                           "192.0.2.1:",
                                           "192.0.2.1:http",
                                           "192.0.2.1:65536",
                                           "192.0.2.1:000080",
                                           "192.0.2.1:-1",
                                           "192.0.2.1:8 0",
                                           "[192.0.2.1]:80",
                                           "[2001:db8::1",
                                           "[2001:db8::1]443",
                                           "[2001:db8::1]:",
                                           "[]",
                                           "[",
                                           ":",
                                           ":80",
                                           "for=192.0.2.1",
                                           "_hidden",
                                           "192.0.2.1 10.0.0.2"}) {
        CAPTURE(element);
        auto const result = found(settings, "10.0.0.1", {element, "10.0.0.2"});
        CHECK(text_of(result) == "10.0.0.2");
        CHECK(result.rejected_element);
    }
}

TEST_CASE("IP-1: nobody is trusted unless listed")
{
    partition::client_settings settings;
    settings.source = address_source::x_forwarded_for;
    auto const result = found(settings, "127.0.0.1", {"1.2.3.4"});
    CHECK(text_of(result) == "127.0.0.1");
    CHECK_FALSE(result.peer_trusted);
}

TEST_CASE("IP-1: the source `peer` looks at no field, but knows whether the peer is trusted")
{
    auto settings = trusting({"10.0.0.0/8"});
    settings.source = address_source::peer;
    auto const result = found(settings, "10.0.0.1", {"1.2.3.4"});
    CHECK(text_of(result) == "10.0.0.1");
    CHECK(result.peer_trusted);
}

TEST_CASE("IP-16: the name of the field has no case, and a Connection option does not hide it")
{
    std::vector<base::field> const fields{{"connection", "close, X-Forwarded-For"}, {"x-fORWARDED-fOR", "198.51.100.7"}};
    auto const result = find_client(trusting({"10.0.0.0/8"}), base::ip_address::parse("10.0.0.1"), fields);
    CHECK(text_of(result) == "198.51.100.7");
    CHECK(result.peer_trusted);
}

TEST_CASE("IP-15: a name with an underscore is another field")
{
    std::vector<base::field> const fields{{"X_Forwarded_For", "6.6.6.6"}};
    CHECK(text_of(find_client(trusting({"10.0.0.0/8"}), base::ip_address::parse("10.0.0.1"), fields)) == "10.0.0.1");
}

TEST_CASE("IP-18: a unix socket is trusted exactly if somebody is")
{
    auto const fields = forwarded_for({"6.6.6.6, 198.51.100.7"});
    auto const trusted = find_client(trusting({"10.0.0.0/8"}), std::nullopt, fields);
    CHECK(text_of(trusted) == "198.51.100.7");
    CHECK(trusted.peer_trusted);

    auto const untrusted = find_client(trusting({}), std::nullopt, fields);
    CHECK(text_of(untrusted) == "nobody");
    CHECK_FALSE(untrusted.peer_trusted);

    auto const garbage = find_client(trusting({"10.0.0.0/8"}), std::nullopt, forwarded_for({"garbage"}));
    CHECK(text_of(garbage) == "nobody");
    CHECK(garbage.rejected_element);
}

TEST_CASE("IP-3: a fixed number of hops, counted from the right")
{
    struct row {
        std::string_view name, peer;
        unsigned hops;
        std::vector<std::string_view> lines;
        std::string_view client;
        bool rejected = false;
    };
    for (auto const& r : std::vector<row>{
             {"IP-3 one hop", "10.0.0.1", 1, {"6.6.6.6, 198.51.100.7"}, "198.51.100.7"},
             {"IP-3 two hops", "10.0.0.1", 2, {"6.6.6.6, 198.51.100.7, 203.0.113.1"}, "198.51.100.7"},
             {"IP-3 hops need not be trusted by address", "10.0.0.1", 2, {"198.51.100.7, 9.9.9.9"}, "198.51.100.7"},
             {"IP-3 nor is a trusted address skipped", "10.0.0.1", 1, {"198.51.100.7, 10.0.0.2"}, "10.0.0.2"},
             {"IP-5 over lines", "10.0.0.1", 2, {"6.6.6.6, 198.51.100.7", "203.0.113.1"}, "198.51.100.7"},
             {"IP-7 empty elements are no hops", "10.0.0.1", 2, {"198.51.100.7, , 203.0.113.1,"}, "198.51.100.7"},
             {"IP-3 fewer elements: the peer, never the leftmost", "10.0.0.1", 3, {"6.6.6.6, 198.51.100.7"}, "10.0.0.1", true},
             {"IP-3 no element", "10.0.0.1", 1, {}, "10.0.0.1", true},
             {"IP-1 a peer outside", "203.0.113.9", 1, {"198.51.100.7"}, "203.0.113.9"},
             {"IP-7 garbage where it counts: the nearest hop", "10.0.0.1", 2, {"garbage, 203.0.113.1"}, "203.0.113.1", true},
             {"IP-7 garbage reported by the peer", "10.0.0.1", 1, {"198.51.100.7, garbage"}, "10.0.0.1", true},
             {"IP-7 garbage on the way does not count", "10.0.0.1", 2, {"198.51.100.7, garbage"}, "198.51.100.7"},
             {"IP-7 garbage everywhere", "10.0.0.1", 2, {"garbage, garbage"}, "10.0.0.1", true},
             {"IP-4 garbage on the left", "10.0.0.1", 1, {"garbage, 198.51.100.7"}, "198.51.100.7"},
         }) {
        CAPTURE(r.name);
        auto settings = trusting({"10.0.0.0/8"});
        settings.trusted_hops = r.hops;
        auto const result = found(settings, r.peer, r.lines);
        CHECK(text_of(result) == r.client);
        CHECK(result.rejected_element == r.rejected);
    }
}

TEST_CASE("IP-20..IP-24: the same walk over Forwarded")
{
    struct row {
        std::string_view name, peer;
        std::vector<std::string_view> lines;
        std::string_view client;
        bool rejected = false;
    };
    auto settings = trusting({"10.0.0.0/8", "2001:db8:f::/48"});
    settings.source = address_source::forwarded;
    for (auto const& r : std::vector<row>{
             {"IP-1 untrusted peer", "203.0.113.9", {"for=1.2.3.4"}, "203.0.113.9"},
             {"IP-24 first untrusted from the right",
              "10.0.0.1",
              {"for=6.6.6.6, for=198.51.100.7, for=10.0.0.2"},
              "198.51.100.7"},
             {"IP-24 all trusted: the leftmost", "10.0.0.1", {"for=10.0.0.9, for=10.0.0.2"}, "10.0.0.9"},
             {"IP-24 no field", "10.0.0.1", {}, "10.0.0.1"},
             {"IP-5 lines in order",
              "10.0.0.1",
              {"for=6.6.6.6", "for=198.51.100.7, for=10.0.0.3", "for=10.0.0.2"},
              "198.51.100.7"},
             {"IP-20 parameters have no case", "10.0.0.1", {"FOR=192.0.2.60;Proto=http;BY=10.0.0.1"}, "192.0.2.60"},
             {"IP-20 twice", "10.0.0.1", {"for=192.0.2.60;for=192.0.2.61"}, "10.0.0.1", true},
             {"IP-21 IPv6 with a port", "10.0.0.1", {R"(for="[2001:db8::1]:4711")"}, "2001:db8::1"},
             {"IP-21 IPv6 without quotes", "10.0.0.1", {"for=[2001:db8::1]"}, "10.0.0.1", true},
             {"IP-21 a trusted IPv6 hop", "10.0.0.1", {R"(for=198.51.100.7, for="[2001:db8:f:1::2]")"}, "198.51.100.7"},
             {"IP-22 hidden, reported by a proxy", "10.0.0.1", {"for=_hidden, for=10.0.0.2"}, "10.0.0.2", true},
             {"IP-22 hidden, reported by the peer", "10.0.0.1", {"for=6.6.6.6, for=_hidden"}, "10.0.0.1", true},
             {"IP-22 unknown", "10.0.0.1", {"for=unknown"}, "10.0.0.1", true},
             {"IP-22 hidden left of the client", "10.0.0.1", {"for=_hidden, for=198.51.100.7"}, "198.51.100.7"},
             {"IP-23 comma in quotes", "10.0.0.1", {R"(for="_a,b";by=203.0.113.1, for=198.51.100.7)"}, "198.51.100.7"},
             {"IP-23 escapes", "10.0.0.1", {R"(for="198\.51.100.7";x="a\",b")"}, "198.51.100.7"},
             {"IP-23 a quote that was left open",
              "10.0.0.1",
              {R"(for=", for=198.51.100.7, for="10.0.0.2:80")"},
              "198.51.100.7"},
             {"no `for`", "10.0.0.1", {"by=10.0.0.2;proto=https"}, "10.0.0.1", true},
             {"XFF's form", "10.0.0.1", {"198.51.100.7"}, "10.0.0.1", true},
             {"IP-10 mapped", "10.0.0.1", {R"(for="[::ffff:198.51.100.7]")"}, "198.51.100.7"},
         }) {
        CAPTURE(r.name);
        std::vector<base::field> fields{{"X-Forwarded-For", "9.9.9.9"}}; // IP-25: the other chain is not looked at
        for (auto const line : r.lines) fields.push_back({"fORWARDED", line});
        auto const result = find_client(settings, base::ip_address::parse(r.peer), fields);
        CHECK(text_of(result) == r.client);
        CHECK(result.rejected_element == r.rejected);
    }
}

TEST_CASE("IP-3, IP-24: hops are counted in Forwarded, too")
{
    auto settings = trusting({"10.0.0.0/8"});
    settings.source = address_source::forwarded;
    settings.trusted_hops = 2;
    auto const peer = base::ip_address::parse("10.0.0.1");
    std::vector<base::field> const fields{{"Forwarded", "for=6.6.6.6, for=198.51.100.7;proto=https, for=_edge"}};
    auto const result = find_client(settings, peer, fields);
    CHECK(text_of(result) == "198.51.100.7");
    CHECK(result.proto == "https");
    CHECK_FALSE(result.rejected_element);
    std::vector<base::field> const shorter{{"Forwarded", "for=198.51.100.7;proto=https"}};
    auto const none = find_client(settings, peer, shorter);
    CHECK(text_of(none) == "10.0.0.1");
    CHECK(none.proto.empty());
    CHECK(none.rejected_element);
}

TEST_CASE("IP-17, IP-25: Forwarded says of the client's request what the hop said that named the client")
{
    auto settings = trusting({"10.0.0.0/8"});
    settings.source = address_source::forwarded;
    std::vector<base::field> const fields{
        {"Forwarded",
         R"(for=6.6.6.6;proto=ftp;host=evil, for=198.51.100.7;proto=https;host="shop.example:8443", for=10.0.0.2;proto=http)"}};
    auto const result = find_client(settings, base::ip_address::parse("10.0.0.1"), fields);
    CHECK(result.proto == "https");
    CHECK(result.host == R"("shop.example:8443")");
    auto const stranger = find_client(settings, base::ip_address::parse("203.0.113.9"), fields);
    CHECK(stranger.proto.empty());
    CHECK(stranger.host.empty());
}

TEST_CASE("IP-14: a field with one address, from trusted peers, one line, the configured name")
{
    struct row {
        std::string_view name, peer;
        std::vector<base::field> fields;
        std::string_view client;
        bool rejected = false;
    };
    auto settings = trusting({"10.0.0.0/8"});
    settings.source = address_source::single_field;
    settings.field = "cf-connecting-ip";
    for (auto const& r : std::vector<row>{
             {"from a trusted peer", "10.0.0.1", {{"CF-Connecting-IP", "198.51.100.7"}}, "198.51.100.7"},
             {"from a stranger", "203.0.113.9", {{"CF-Connecting-IP", "198.51.100.7"}}, "203.0.113.9"},
             {"absent", "10.0.0.1", {{"Host", "x"}}, "10.0.0.1"},
             {"another one", "10.0.0.1", {{"True-Client-IP", "198.51.100.7"}, {"X-Forwarded-For", "6.6.6.6"}}, "10.0.0.1"},
             {"IPv6", "10.0.0.1", {{"cf-connecting-ip", "2001:DB8::7"}}, "2001:db8::7"},
             {"with a port", "10.0.0.1", {{"cf-connecting-ip", "198.51.100.7:4711"}}, "198.51.100.7"},
             {"a trusted address is taken as it is", "10.0.0.1", {{"cf-connecting-ip", "10.0.0.7"}}, "10.0.0.7"},
             {"two lines", "10.0.0.1", {{"cf-connecting-ip", "1.2.3.4"}, {"CF-Connecting-IP", "1.2.3.4"}}, "10.0.0.1", true},
             {"a list", "10.0.0.1", {{"cf-connecting-ip", "1.2.3.4, 198.51.100.7"}}, "10.0.0.1", true},
             {"garbage", "10.0.0.1", {{"cf-connecting-ip", "localhost"}}, "10.0.0.1", true},
             {"empty", "10.0.0.1", {{"cf-connecting-ip", ""}}, "10.0.0.1", true},
         }) {
        CAPTURE(r.name);
        auto const result = find_client(settings, base::ip_address::parse(r.peer), r.fields);
        CHECK(text_of(result) == r.client);
        CHECK(result.rejected_element == r.rejected);
    }
}

TEST_CASE("IP-11: NAT64 is IPv6, or by option the IPv4 address in it; trust goes by the address itself")
{
    auto settings = trusting({"10.0.0.0/8"});
    CHECK(text_of(found(settings, "64:ff9b::1.2.3.4", {})) == "64:ff9b::102:304");
    settings.nat64 = partition::nat64_form::ipv4;
    CHECK(text_of(found(settings, "64:ff9b::1.2.3.4", {})) == "1.2.3.4");
    CHECK(text_of(found(settings, "10.0.0.1", {"64:ff9b::102:304"})) == "1.2.3.4");
    CHECK(text_of(found(settings, "::5.6.7.8", {})) == "::506:708");
    CHECK(text_of(found(settings, "64:ff9b:1::1.2.3.4", {})) == "64:ff9b:1::102:304");
    auto const translated = found(settings, "64:ff9b::10.0.0.1", {"1.2.3.4"}); // not 10.0.0.1, whom we trust
    CHECK(text_of(translated) == "10.0.0.1");
    CHECK_FALSE(translated.peer_trusted);
    CHECK(text_of(found(settings, "10.0.0.1", {"6.6.6.6, 64:ff9b::10.0.0.2"})) == "10.0.0.2");
}

TEST_CASE("IP-4: whatever a caller puts in front, the address its proxy saw is the client")
{
    auto const seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937 random{seed};
    auto const settings = trusting({"10.0.0.0/8"});
    constexpr std::string_view alphabet = "0123456789.:, \t[]abcdefor\"\\%;=";
    for (int round = 0; round < 5'000; ++round) {
        std::string forged;
        for (auto length = random() % 60; forged.size() < length;) forged += alphabet[random() % alphabet.size()];
        CAPTURE(forged);
        auto const same_line = forged + ", 198.51.100.7, 10.0.0.2";
        REQUIRE(text_of(found(settings, "10.0.0.1", {same_line})) == "198.51.100.7");
        REQUIRE(text_of(found(settings, "10.0.0.1", {forged, "198.51.100.7", "10.0.0.2"})) == "198.51.100.7");
        auto by_hops = settings;
        by_hops.trusted_hops = 2;
        REQUIRE(text_of(found(by_hops, "10.0.0.1", {same_line})) == "198.51.100.7");
        auto by_forwarded = settings;
        by_forwarded.source = address_source::forwarded;
        auto const line = forged + R"(, for=198.51.100.7, for="10.0.0.2:80")";
        std::vector<base::field> const fields{{"Forwarded", line}};
        REQUIRE(text_of(find_client(by_forwarded, base::ip_address::parse("10.0.0.1"), fields)) == "198.51.100.7");
    }
}
