#include "proxy/head_parser.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace penstock::proxy;

namespace {

using kind = body_framing::kind;

// A request with these lines behind `POST / HTTP/1.1` and a Host.
std::string post(std::string_view lines) { return "POST / HTTP/1.1\r\nHost: x\r\n" + std::string(lines) + "\r\n"; }

head_problem parse(std::string_view bytes)
{
    request_head head;
    return parse_request_head(bytes, head);
}

} // namespace

TEST_CASE("H1-1, H1-7, H1-8, H1-9: a head is its parts, in order, values without the blanks around them")
{
    request_head head;
    std::string const bytes =
        "get-it /a?b=%20 HTTP/1.1\r\nHost: x\r\nX-API-Key:  k \t\r\nempty:\r\nX-A: 1\r\nX-A: 2\t3\r\nlatin: \xe9\r\n\r\n";
    REQUIRE(parse_request_head(bytes, head) == head_problem::none);
    CHECK(head.method == "get-it");
    CHECK(head.target == "/a?b=%20");
    CHECK(head.minor_version == 1);
    REQUIRE(head.fields.size() == 6);
    CHECK(head.fields[0].name == "Host");
    CHECK(head.fields[1].value == "k");
    CHECK(head.fields[2].value.empty());
    CHECK(head.fields[3].value == "1");
    CHECK(head.fields[4].value == "2\t3");
    CHECK(head.fields[5].value == "\xe9");
    CHECK(!head.body.has_content());

    REQUIRE(parse_request_head("GET / HTTP/1.1\r\nHost: y\r\n\r\n", head) == head_problem::none); // reused
    CHECK(head.fields.size() == 1);
    CHECK(head.method == "GET");
}

TEST_CASE("H1-1, H1-2, H1-12: a request line is method, target and version with one space between")
{
    struct row {
        std::string_view name;
        std::string line;
        head_problem problem;
    };
    using enum head_problem;
    for (auto const& r : std::vector<row>{
             {"as it should be", "GET / HTTP/1.1", none},
             {"two spaces before the target", "GET  / HTTP/1.1", malformed},
             {"two spaces behind the target", "GET /  HTTP/1.1", malformed},
             {"tab", "GET\t/ HTTP/1.1", malformed},
             {"tab behind the target", "GET /\tHTTP/1.1", malformed},
             {"space at the end", "GET / HTTP/1.1 ", malformed},
             {"lower-case version", "GET / http/1.1", malformed},
             {"two digits behind the dot", "GET / HTTP/1.01", malformed},
             {"two digits before the dot", "GET / HTTP/01.1", malformed},
             {"no minor version", "GET / HTTP/1", malformed},
             {"space in the version", "GET / HTTP /1.1", malformed},
             {"no method", " / HTTP/1.1", malformed},
             {"method that is no token", "G(T / HTTP/1.1", malformed},
             {"no target", "GET HTTP/1.1", malformed},
             {"HTTP/0.9", "GET /", malformed},
             {"bare CR", "GET /\r HTTP/1.1", malformed},
             {"control character in the target", "GET /\x01 HTTP/1.1", malformed},
             {"a later minor version", "GET / HTTP/1.2", none},
             {"the last of them", "GET / HTTP/1.9", none},
             {"a later one with two digits", "GET / HTTP/1.10", malformed},
             {"a later one behind two spaces", "GET /  HTTP/1.2", malformed},
             {"a later one and a space", "GET / HTTP/1.2 ", malformed},
             {"HTTP/2.0", "GET / HTTP/2.0", unsupported_version},
             {"HTTP/3.0", "GET / HTTP/3.0", unsupported_version},
             {"preface of HTTP/2", "PRI * HTTP/2.0", unsupported_version},
         }) {
        CAPTURE(r.name);
        CHECK(parse(r.line + "\r\nHost: x\r\n\r\n") == r.problem);
    }
}

TEST_CASE("H1-12: a later minor version means 1.1, with all that 1.1 asks for")
{
    request_head head;
    REQUIRE(parse_request_head("PUT /a HTTP/1.2\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", head) == head_problem::none);
    CHECK(head.method == "PUT");
    CHECK(head.target == "/a");
    CHECK(head.minor_version == 1);
    CHECK(head.keep_alive);
    CHECK(head.body.how == kind::chunked);
    REQUIRE(head.fields.size() == 2);
    CHECK(head.fields[0].value == "x");
    CHECK(parse("GET / HTTP/1.2\r\n\r\n") == head_problem::bad_host);
    CHECK(parse("GET / HTTP/1.2\r\nHost: x\r\nA : x\r\n\r\n") == head_problem::malformed); // H1-5: not in a request
    CHECK(parse("POST / HTTP/1.3\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n") ==
          head_problem::bad_framing);
}

TEST_CASE("H1-2, H1-4..H1-8: a field line is a token, a colon and text")
{
    struct row {
        std::string_view name;
        std::string lines;
    };
    using namespace std::string_literals;
    for (auto const& r : std::vector<row>{
             {"blank before the colon", "A : x\r\n"},
             {"tab before the colon", "A\t: x\r\n"},
             {"no colon", "A\r\n"},
             {"no name", ": x\r\n"},
             {"name that is no token", "A(b): x\r\n"},
             {"name above ASCII", "\xc3\xa9: x\r\n"},
             {"folded value", "A: x\r\n y\r\n"},
             {"folded with a tab", "A: x\r\n\ty\r\n"},
             {"folded into nothing", "A:\r\n x\r\n"},
             {"nothing folded into nothing", "A:\r\n \r\n"},
             {"folded framing", "Transfer-Encoding:\r\n chunked\r\n"},
             {"folded away", "A: x\r\n \r\n"},
             {"bare CR", "A: x\rB: y\r\n"},
             {"NUL in a value", "A: x\0y\r\n"s},
             {"NUL in a name", "A\0: x\r\n"s},
             {"control character", "A: x\x01y\r\n"},
             {"DEL", "A: \x7f\r\n"},
         }) {
        CAPTURE(r.name);
        CHECK(parse(post(r.lines)) == head_problem::malformed);
    }
    CHECK(parse("GET / HTTP/1.1\r\n Host: x\r\n\r\n") == head_problem::malformed); // before the first field
}

TEST_CASE("H1-20: exactly one Host, unless a client of HTTP/1.0 leaves it out")
{
    CHECK(parse("GET / HTTP/1.1\r\n\r\n") == head_problem::bad_host);
    CHECK(parse("GET / HTTP/1.1\r\nHost: x\r\nhost: x\r\n\r\n") == head_problem::bad_host);
    CHECK(parse("GET / HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n") == head_problem::bad_host);
    CHECK(parse("GET / HTTP/1.0\r\n\r\n") == head_problem::none);
}

TEST_CASE("H1-40..H1-44: the framing of a request can be read in one way only")
{
    struct row {
        std::string_view name;
        std::string lines;
        head_problem problem;
    };
    using enum head_problem;
    for (auto const& r : std::vector<row>{
             {"length and coding", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", bad_framing},
             {"coding and length", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", bad_framing},
             {"coding and length zero", "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", bad_framing},
             {"unknown coding", "Transfer-Encoding: gzip\r\n", unknown_coding},
             {"coding that looks like chunked", "Transfer-Encoding: xchunked\r\n", unknown_coding},
             {"identity", "Transfer-Encoding: identity\r\n", unknown_coding},
             {"chunked is not last", "Transfer-Encoding: chunked, gzip\r\n", bad_framing},
             {"chunked is not alone", "Transfer-Encoding: gzip, chunked\r\n", bad_framing},
             {"chunked twice", "Transfer-Encoding: chunked, chunked\r\n", bad_framing},
             {"two lines", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", bad_framing},
             {"two different lines", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", bad_framing},
             {"no coding", "Transfer-Encoding:\r\n", bad_framing},
             {"comma in front", "Transfer-Encoding: ,chunked\r\n", bad_framing},
             {"comma behind", "Transfer-Encoding: chunked,\r\n", bad_framing},
             {"parameter", "Transfer-Encoding: chunked;a=b\r\n", bad_framing},
             {"vertical tab",
              "Transfer-Encoding: \x0b"
              "chunked\r\n",
              malformed},
             {"plus sign", "Content-Length: +5\r\n", bad_framing},
             {"minus sign", "Content-Length: -1\r\n", bad_framing},
             {"hex", "Content-Length: 0x5\r\n", bad_framing},
             {"two numbers", "Content-Length: 5 5\r\n", bad_framing},
             {"underscore", "Content-Length: 1_0\r\n", bad_framing},
             {"empty", "Content-Length:\r\n", bad_framing},
             {"2^63", "Content-Length: 9223372036854775808\r\n", bad_framing},
             {"2^64 and five", "Content-Length: 18446744073709551621\r\n", bad_framing},
             {"list of equals", "Content-Length: 5, 5\r\n", bad_framing},
             {"two equal lines", "Content-Length: 5\r\nContent-Length: 5\r\n", bad_framing},
             {"two different lines", "Content-Length: 5\r\nContent-Length: 6\r\n", bad_framing},
         }) {
        CAPTURE(r.name);
        CHECK(parse(post(r.lines)) == r.problem);
    }
    CHECK(parse("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n") == head_problem::bad_framing); // H1-43
}

TEST_CASE("H1-42, H1-44, H1-45, H1-51: framing that is accepted")
{
    struct row {
        std::string_view name;
        std::string lines;
        kind how;
        std::uint64_t length;
    };
    for (auto const& r : std::vector<row>{
             {"neither", "", kind::none, 0},
             {"length", "Content-Length: 5\r\n", kind::length, 5},
             {"zero", "content-length: 0\r\n", kind::length, 0},
             {"leading zeros are decimal", "Content-Length: 0010\r\n", kind::length, 10},
             {"largest", "Content-Length: 9223372036854775807\r\n", kind::length, std::uint64_t{INT64_MAX}},
             {"chunked", "Transfer-Encoding: chunked\r\n", kind::chunked, 0},
             {"chunked in any case", "transfer-encoding: Chunked \r\n", kind::chunked, 0},
         }) {
        CAPTURE(r.name);
        request_head head;
        auto const bytes = post(r.lines);
        REQUIRE(parse_request_head(bytes, head) == head_problem::none);
        CHECK(head.body.how == r.how);
        CHECK(head.body.length == r.length);
    }
}

TEST_CASE("H1-12, RFC 9112 section 9.3: a connection is kept by version and Connection")
{
    struct row {
        std::string_view name;
        std::string bytes;
        bool keep_alive;
    };
    for (auto const& r : std::vector<row>{
             {"1.1", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", true},
             {"1.1 close", "GET / HTTP/1.1\r\nHost: x\r\nConnection: Close\r\n\r\n", false},
             {"1.1 close in a list", "GET / HTTP/1.1\r\nHost: x\r\nConnection: a, ,close\r\n\r\n", false},
             {"1.1 close in a second line", "GET / HTTP/1.1\r\nHost: x\r\nConnection: a\r\nConnection: close\r\n\r\n", false},
             {"1.0", "GET / HTTP/1.0\r\n\r\n", false},
             {"1.0 keep-alive", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true},
             {"1.0 both", "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false},
         }) {
        CAPTURE(r.name);
        request_head head;
        REQUIRE(parse_request_head(r.bytes, head) == head_problem::none);
        CHECK(head.keep_alive == r.keep_alive);
    }
}

TEST_CASE("RFC 9110 section 10.1.1: 100-continue is the one expectation, and only for content")
{
    request_head head;
    auto expecting = [&](std::string const& bytes) {
        REQUIRE(parse_request_head(bytes, head) == head_problem::none);
        return head.expects_continue;
    };
    CHECK(expecting(post("Content-Length: 5\r\nExpect: 100-Continue\r\n")));
    CHECK(expecting(post("Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n")));
    CHECK(!expecting(post("Expect: 100-continue\r\n")));
    CHECK(!expecting("POST / HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"));
    CHECK(!expecting("POST / HTTP/1.0\r\nContent-Length: 5\r\nExpect: magic\r\n\r\n"));
    CHECK(parse(post("Expect: magic\r\n")) == head_problem::unknown_expectation);
    CHECK(parse(post("Expect: 100-continue\r\nExpect: 100-continue\r\n")) == head_problem::unknown_expectation);
}

TEST_CASE("RFC 9110 section 7.8: an upgrade is asked for by Connection and Upgrade together, in 1.1")
{
    struct row {
        std::string_view name;
        std::string bytes;
        std::string_view upgrade;
    };
    for (auto const& r : std::vector<row>{
             {"both", post("Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"), "websocket"},
             {"no Connection", post("Upgrade: websocket\r\n"), ""},
             {"no Upgrade", post("Connection: upgrade\r\n"), ""},
             {"1.0", "GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", ""},
         }) {
        CAPTURE(r.name);
        request_head head;
        REQUIRE(parse_request_head(r.bytes, head) == head_problem::none);
        CHECK(head.upgrade == r.upgrade);
    }
}

TEST_CASE("H1-57, H1-59, H1-60: the body of a response, and whether its connection may be used again")
{
    struct row {
        std::string_view name;
        answers method;
        std::string bytes;
        kind how;
        bool keep_alive;
    };
    auto const other = answers::other;
    for (auto const& r : std::vector<row>{
             {"length", other, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", kind::length, true},
             {"chunked", other, "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n", kind::chunked, true},
             {"neither", other, "HTTP/1.1 200 OK\r\n\r\n", kind::until_close, false},
             {"close", other, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n", kind::length, false},
             {"1.0", other, "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", kind::length, false},
             {"1.0 keep-alive", other, "HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n", kind::length,
              true},
             {"to HEAD", answers::head_request, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", kind::none, true},
             {"to HEAD, chunked", answers::head_request, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", kind::none,
              true},
             {"204", other, "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", kind::none, true},
             {"304", other, "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", kind::none, true},
             {"100", other, "HTTP/1.1 100 Continue\r\n\r\n", kind::none, true},
             {"no reason", other, "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", kind::length, true},
             {"neither reason nor space", other, "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", kind::length, true},
             {"neither, 1.0", other, "HTTP/1.0 200\r\n\r\n", kind::until_close, false},
             {"a later minor version", other, "HTTP/1.2 200 OK\r\nContent-Length: 5\r\n\r\n", kind::length, true},
             {"blank before the colon of framing", other, "HTTP/1.1 200 OK\r\nTransfer-Encoding : chunked\r\n\r\n",
              kind::chunked, true},
         }) {
        CAPTURE(r.name);
        response_head head;
        REQUIRE(parse_response_head(r.bytes, r.method, head) == head_problem::none);
        CHECK(head.body.how == r.how);
        CHECK(head.keep_alive == r.keep_alive);
    }
}

TEST_CASE("H1-6, H1-12, H1-57: a response that cannot be trusted is refused")
{
    struct row {
        std::string_view name;
        std::string bytes;
        head_problem problem;
    };
    using enum head_problem;
    auto const ok = [](std::string_view lines) { return "HTTP/1.1 200 OK\r\n" + std::string(lines) + "\r\n"; };
    for (auto const& r : std::vector<row>{
             {"two lengths", ok("Content-Length: 5\r\nContent-Length: 6\r\n"), bad_framing},
             {"no number", ok("Content-Length: five\r\n"), bad_framing},
             {"length and coding", ok("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), bad_framing},
             {"length and coding of a 204", "HTTP/1.1 204 No\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
              bad_framing},
             {"two codings", ok("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), bad_framing},
             {"unknown coding", ok("Transfer-Encoding: gzip\r\n"), unknown_coding},
             {"folded field", ok("A: x\r\n y\r\n"), malformed},
             {"status of two digits", "HTTP/1.1 20 OK\r\n\r\n", malformed},
             {"status of letters", "HTTP/1.1 abc OK\r\n\r\n", malformed},
             {"another version", "HTTP/2.0 200 OK\r\n\r\n", unsupported_version},
             {"another protocol", "ICY 200 OK\r\n\r\n", unsupported_version},
         }) {
        CAPTURE(r.name);
        response_head head;
        CHECK(parse_response_head(r.bytes, answers::other, head) == r.problem);
    }
}

TEST_CASE("OP-14: every problem has a name of its own")
{
    std::vector<std::string_view> seen;
    for (auto i = 0; i <= static_cast<int>(head_problem::bad_target); ++i) {
        auto const name = name_of(static_cast<head_problem>(i));
        CAPTURE(name);
        CHECK(name != "unknown");
        CHECK(std::find(seen.begin(), seen.end(), name) == seen.end());
        seen.push_back(name);
    }
}

TEST_CASE("H1-5: blanks before a colon are taken out of a response")
{
    response_head head;
    std::string const bytes = "HTTP/1.1 200\r\nX-F : a\r\nX-G\t \t: b : c\r\nX-H: d\r\nempty :\r\n\r\n";
    REQUIRE(parse_response_head(bytes, answers::other, head) == head_problem::none);
    CHECK(head.status == 200);
    CHECK(head.reason.empty());
    REQUIRE(head.fields.size() == 4);
    CHECK(head.fields[0].name == "X-F");
    CHECK(head.fields[0].value == "a");
    CHECK(head.fields[1].name == "X-G");
    CHECK(head.fields[1].value == "b : c");
    CHECK(head.fields[2].value == "d");
    CHECK(head.fields[3].name == "empty");
    CHECK(head.fields[3].value.empty());
}

TEST_CASE("H1-5, H1-6, H1-57: what is wrong with a response stays wrong when it is spelled anew")
{
    struct row {
        std::string_view name;
        std::string bytes;
        head_problem problem;
    };
    using enum head_problem;
    for (auto const& r : std::vector<row>{
             {"two digits of a status", "HTTP/1.1 20\r\n\r\n", malformed},
             {"four digits", "HTTP/1.1 2000\r\n\r\n", malformed},
             {"letters for a status", "HTTP/1.1 abc\r\n\r\n", malformed},
             {"HTTP/2.0", "HTTP/2.0 200\r\n\r\n", unsupported_version},
             {"blank in a name", "HTTP/1.1 200 OK\r\nX Y : a\r\n\r\n", malformed},
             {"no name", "HTTP/1.1 200 OK\r\n : a\r\n\r\n", malformed},
             {"no colon", "HTTP/1.1 200 OK\r\nX \r\n\r\n", malformed},
             {"folded behind a blank", "HTTP/1.1 200 OK\r\nX : a\r\n b\r\n\r\n", malformed},
             {"two lengths", "HTTP/1.1 200 OK\r\nContent-Length : 5\r\nContent-Length: 6\r\n\r\n", bad_framing},
         }) {
        CAPTURE(r.name);
        response_head head;
        CHECK(parse_response_head(r.bytes, answers::other, head) == r.problem);
    }
}
