#include "base/forwarded.hpp"

#include <doctest/doctest.h>

#include <array>
#include <iterator>
#include <random>
#include <string>
#include <vector>

using namespace penstock::base;

namespace {

// From the right to the left; a broken element as `!TEXT`.
std::vector<std::string> from_the_right(std::string_view line)
{
    std::vector<std::string> elements;
    while (auto const element = take_last_element(line))
        elements.push_back((element->well_formed ? "" : "!") + std::string{element->text});
    return elements;
}

std::vector<std::string> from_the_left(std::string_view line)
{
    std::vector<std::string> elements;
    while (auto const element = take_first_element(line)) elements.emplace_back(element->text);
    return elements;
}

forwarded_element only(std::string_view line)
{
    auto const element = take_last_element(line);
    REQUIRE(element);
    CHECK(!take_last_element(line));
    return *element;
}

std::string without_backslashes(std::string_view text)
{
    std::string rest{text};
    std::erase(rest, '\\');
    return rest;
}

std::string text_of(std::optional<ip_address> const& address) { return address ? address->to_string() : "no address"; }

} // namespace

TEST_CASE("IP-23: a list is divided at the commas outside of quoted strings")
{
    struct row {
        std::string_view name, line;
        std::vector<std::string> elements;
    };
    for (auto const& r : std::vector<row>{
             {"nothing", "", {}},
             {"only commas and blanks", " ,, \t,", {}},
             {"one", "for=192.0.2.60", {"for=192.0.2.60"}},
             {"two", "for=192.0.2.60, for=198.51.100.7", {"for=198.51.100.7", "for=192.0.2.60"}},
             {"empty elements", ",for=_a ,, for=_b,", {"for=_b", "for=_a"}},
             {"comma in quotes",
              R"(for="_a,b";by=203.0.113.1, for=198.51.100.7)",
              {"for=198.51.100.7", R"(for="_a,b";by=203.0.113.1)"}},
             {"semicolon in quotes", R"(x="a;for=6.6.6.6";for=_b)", {R"(x="a;for=6.6.6.6";for=_b)"}},
             {"escaped quote", R"(x="a\", for=6.6.6.6", for=_b)", {"for=_b", R"(x="a\", for=6.6.6.6")"}},
             {"escaped backslash at the end", R"(x="a\\", for=_b)", {"for=_b", R"(x="a\\")"}},
             {"escaped backslash, escaped quote", R"(x="\\\",", for=_b)", {"for=_b", R"(x="\\\",")"}},
             {"empty quoted string", R"(x="", for=_b)", {"for=_b", R"(x="")"}},
             {"blanks around semicolons", "for=_a ; proto=http", {"for=_a ; proto=http"}},
             {"empty pairs", ";for=_a;;", {";for=_a;;"}},
         }) {
        CAPTURE(r.name);
        CHECK(from_the_right(r.line) == r.elements);
        CHECK(from_the_left(r.line) == std::vector<std::string>{r.elements.rbegin(), r.elements.rend()});
    }
}

TEST_CASE("IP-20, IP-21: what is no element, is none; what stands to its right is read all the same")
{
    for (std::string_view const broken : {
             "192.0.2.1",             // an address alone is XFF
             R"(for=\x")",            // a quote that is escaped where nothing is quoted
             R"(for=192.0.2.1;x=\")", //
             "for",                   // no value
             "for=",                  // an empty one
             "=192.0.2.1",            // no name
             "for =192.0.2.1",        // blanks around '=' are not allowed
             "for= 192.0.2.1",        //
             "for=[2001:db8::1]",     // IP-21: needs quotes
             "for=192.0.2.1:80",      // likewise
             "for=_a;for=_b",         // IP-20: twice
             "For=_a;fOR=_a",         // likewise
             "by=_a;for=_c;by=_b",    //
             "host=a;host=b",         //
             "proto=http;proto=http", //
             "for=_a for=_b",         // no semicolon
             R"(for="_a"_b)",         // behind the quotes
             R"(for="_a)",            // does not end
             R"(_a")",                // does not begin
             R"(for="_a\")",          // ends escaped
             R"(for=_a;x="\)",        //
             R"(for=a"b)",            //
             "for=\"a\x01\"",         // control character
             "for=\"a\\\x7F\"",       // escaped control character
         }) {
        CAPTURE(broken);
        auto const elements = from_the_right(std::string{broken} + ", for=198.51.100.7");
        REQUIRE(elements.size() >= 2);
        CHECK(elements[0] == "for=198.51.100.7");
        CHECK(elements[1].front() == '!');
    }
}

TEST_CASE("IP-23: a quote that a caller leaves open swallows nothing of what a proxy appends")
{
    for (std::string_view const forged : {R"(for=")", R"(for="1.2.3.4)", R"(for=1.2.3.4;x="\)", R"(x="a\\\)", R"(")"}) {
        CAPTURE(forged);
        auto const plain = from_the_right(std::string{forged} + R"(, for=198.51.100.7;proto=https)");
        REQUIRE(!plain.empty());
        CHECK(plain[0] == "for=198.51.100.7;proto=https");
        auto const quoted = from_the_right(std::string{forged} + R"(, for="[2001:db8::1]:4711";by="_edge", for="10.0.0.2:80")");
        REQUIRE(quoted.size() >= 2);
        CHECK(quoted[0] == R"(for="10.0.0.2:80")");
        CHECK(quoted[1] == R"(for="[2001:db8::1]:4711";by="_edge")");
    }
}

TEST_CASE("IP-23: an escape that says nothing changes nothing, wherever a list is broken")
{
    auto const seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937 random{seed};
    static constexpr std::string_view names[] = {"for=", "host=", "proto=", "x=", "for", "="};
    static constexpr std::string_view values[] = {"192.0.2.1",    "_a", R"("a")", R"("b,c")", R"(";d=,")",
                                                  R"("[::1]:8")", "\"", R"(\")",  "\\",       "\"\x01\""};
    static constexpr std::string_view joints[] = {";", ";", ",", ", ", " ", ""};
    std::size_t with_escapes = 0; // and well formed
    for (int round = 0; round < 50'000; ++round) {
        std::string plain;
        std::string escaped;
        for (auto n = random() % 5; n > 0; --n) {
            auto const name = names[random() % std::size(names)];
            auto const value = values[random() % std::size(values)];
            auto const joint = joints[random() % std::size(joints)];
            plain.append(name).append(value).append(joint);
            escaped.append(name).append(value).append(joint);
            if (value.size() > 1 && value.front() == '"')
                escaped.insert(escaped.size() - joint.size() - value.size() + 1, 1, '\\');
        }
        CAPTURE(plain);
        std::string_view plain_rest = plain;
        std::string_view escaped_rest = escaped;
        while (auto const element = take_last_element(plain_rest)) {
            auto const same = take_last_element(escaped_rest);
            REQUIRE(same);
            REQUIRE(element->well_formed == same->well_formed);
            REQUIRE(without_backslashes(element->text) == without_backslashes(same->text));
            REQUIRE(without_backslashes(element->host) == without_backslashes(same->host));
            REQUIRE(without_backslashes(element->proto) == without_backslashes(same->proto));
            REQUIRE(text_of(node_address(element->node)) == text_of(node_address(same->node)));
            with_escapes += same->well_formed && same->text.find('\\') != std::string_view::npos;
        }
        REQUIRE(!take_last_element(escaped_rest));
    }
    CHECK(with_escapes > 5'000);
}

TEST_CASE("IP-20: parameters have no case, and unknown ones are passed over")
{
    auto const element = only(R"(FOR=192.0.2.60;Proto=https;by=203.0.113.43;secret="a;b,c";hOSt="shop.example:8443")");
    CHECK(element.well_formed);
    CHECK(element.node == "192.0.2.60");
    CHECK(element.proto == "https");
    CHECK(element.host == R"("shop.example:8443")");
    CHECK(only("by=_a").node.empty());
}

TEST_CASE("IP-8, IP-20, IP-21, IP-22: the address that a node names")
{
    struct row {
        std::string_view node, address;
    };
    for (auto const& r : {
             row{"192.0.2.60", "192.0.2.60"},
             row{R"("192.0.2.60")", "192.0.2.60"},
             row{R"("192.0.2.60:4711")", "192.0.2.60"},
             row{R"("192.0.2.60:_port")", "192.0.2.60"},
             row{R"("[2001:db8::1]")", "2001:db8::1"},
             row{R"("[2001:DB8:0::1]:4711")", "2001:db8::1"},
             row{R"("[2001:db8::1]:_a.b-c_d")", "2001:db8::1"},
             row{R"("[::ffff:192.0.2.60]")", "192.0.2.60"},
             row{R"("192\.0.2.\6\0")", "192.0.2.60"}, // escapes of what needs none
             row{R"("\[2001:db8::1\]")", "2001:db8::1"},
             row{"unknown", "no address"},
             row{R"("unknown:80")", "no address"},
             row{"_hidden", "no address"},
             row{R"("_hidden:1")", "no address"},
             row{R"("2001:db8::1")", "no address"}, // without brackets
             row{R"("[192.0.2.60]")", "no address"},
             row{R"("[2001:db8::1")", "no address"},
             row{R"("2001:db8::1]")", "no address"},
             row{R"("[2001:db8::1]x")", "no address"},
             row{R"("[2001:db8::1]:")", "no address"},
             row{R"("[2001:db8::1]:99999")", "no address"},
             row{R"("[2001:db8::1]:000080")", "no address"},
             row{R"("192.0.2.60:http")", "no address"},
             row{R"("192.0.2.60:_")", "no address"},
             row{R"("192.0.2.60:_a b")", "no address"},
             row{R"("[fe80::1%eth0]")", "no address"},
             row{"010.0.0.1", "no address"},
             row{"127.1", "no address"},
             row{R"("")", "no address"},
             row{R"("[]")", "no address"},
             row{R"("[")", "no address"},
             row{R"(":")", "no address"},
         }) {
        CAPTURE(r.node);
        CHECK(text_of(node_address(r.node)) == r.address);
    }
    CHECK(text_of(node_address('"' + std::string(300, '\\') + '"')) == "no address");
    CHECK(text_of(node_address(std::string(5'000, '1'))) == "no address");
}

TEST_CASE("IP-23: a value is what its quotes and escapes stand for")
{
    std::array<char, 8> room;
    CHECK(unquoted("token", room) == "token");
    CHECK(unquoted(R"("a b")", room) == "a b");
    CHECK(unquoted(R"("a\"b\\")", room) == R"(a"b\)");
    CHECK(unquoted(R"("")", room) == "");
    CHECK(unquoted(R"("\1\2\3\4\5\6\7\8")", room) == "12345678");
    CHECK(!unquoted(R"("\1\2\3\4\5\6\7\8\9")", room));
}
