#include "proxy/head_scanner.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace penstock::proxy;

namespace {

head_scanner::progress at_once(std::string_view bytes, head_limits const& limits) { return head_scanner(limits).scan(bytes); }

// As a connection does it: everything received so far, each time.
head_scanner::progress byte_by_byte(std::string_view bytes, head_limits const& limits)
{
    head_scanner scanner(limits);
    for (std::size_t n = 1; n <= bytes.size(); ++n) {
        auto const found = scanner.scan(bytes.substr(0, n));
        if (found.length != 0 || found.problem != head_problem::none) return found;
    }
    return {};
}

std::string fields(std::size_t count, std::size_t bytes_each)
{
    std::string lines;
    for (std::size_t i = 0; i < count; ++i) lines += "X:" + std::string(bytes_each - 4, 'v') + "\r\n";
    return lines;
}

constexpr std::string_view line = "GET / HTTP/1.1\r\n";

} // namespace

TEST_CASE("H1-2, H1-3, H1-10: the end of a head is found, and nothing behind it is looked at")
{
    struct row {
        std::string_view name;
        std::string bytes;
        std::size_t skip;
        std::size_t length; // of the head; 0: more is needed
    };
    for (auto const& r : std::vector<row>{
             {"nothing", "", 0, 0},
             {"half a start line", "GET / HT", 0, 0},
             {"no empty line yet", "GET / HTTP/1.1\r\nHost: x\r\n", 0, 0},
             {"half an empty line", "GET / HTTP/1.1\r\nHost: x\r\n\r", 0, 0},
             {"without fields", "GET / HTTP/1.1\r\n\r\n", 0, 18},
             {"with a field", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 0, 27},
             {"with more behind", "GET / HTTP/1.1\r\n\r\n\nGET\n", 0, 18},
             {"one empty line in front", "\r\nGET / HTTP/1.1\r\n\r\n", 2, 18},
             {"four empty lines in front", "\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\n\r\n", 8, 18},
             {"empty lines only", "\r\n\r\n", 0, 0},
             {"a response", "HTTP/1.1 200 OK\r\n\r\n", 0, 19},
             {"a method of other token characters", "~!x / HTTP/1.1\r\n\r\n", 0, 18},
         }) {
        CAPTURE(r.name);
        head_limits const limits;
        for (auto const& found : {at_once(r.bytes, limits), byte_by_byte(r.bytes, limits)}) {
            CHECK(found.problem == head_problem::none);
            CHECK(found.length == r.length);
            CHECK(found.skip == r.skip);
        }
    }
}

TEST_CASE("H1-2, H1-3, H1-14: what is visibly no head is refused at once")
{
    struct row {
        std::string_view name;
        std::string bytes;
    };
    using namespace std::string_literals;
    for (auto const& r : std::vector<row>{
             {"bare LF ends the start line", "GET / HTTP/1.1\n"},
             {"bare LF ends a field", "GET / HTTP/1.1\r\nHost: x\n"},
             {"bare LF ends the head", "GET / HTTP/1.1\r\nHost: x\r\n\n"},
             {"bare LF in front", "\n"},
             {"five empty lines in front", "\r\n\r\n\r\n\r\n\r\n"},
             {"TLS ClientHello", "\x16\x03\x01"s},
             {"NUL", "\0"s},
             {"space in front", " GET / HTTP/1.1\r\n"},
             {"a byte above ASCII", "\xff"},
             {"PROXY protocol 2 behind empty lines", "\r\n\r\n\0\r\nQUIT"s},
         }) {
        CAPTURE(r.name);
        head_limits const limits;
        CHECK(at_once(r.bytes, limits).problem == head_problem::malformed);
        CHECK(byte_by_byte(r.bytes, limits).problem == head_problem::malformed);
    }
}

TEST_CASE("H1-28, H1-110: each limit holds to the byte, while the head is still arriving")
{
    head_limits const limits{.start_line = 40, .field = 50, .fields = 120, .field_count = 3};
    struct row {
        std::string_view name;
        std::string bytes;
        head_problem problem;
    };
    auto const request_line = [](std::size_t length) { return "GET /" + std::string(length - 14, 'a') + " HTTP/1.1"; };
    auto const start = std::string(line);
    for (auto const& r : std::vector<row>{
             {"longest start line", request_line(40) + "\r\n\r\n", head_problem::none},
             {"longer start line", request_line(41) + "\r\n\r\n", head_problem::target_too_long},
             {"start line without an end", "GET /" + std::string(60, 'a'), head_problem::target_too_long},
             {"longest field", start + fields(1, 52) + "\r\n", head_problem::none},
             {"longer field", start + fields(1, 53) + "\r\n", head_problem::fields_too_large},
             {"field without an end", start + std::string(60, 'a'), head_problem::fields_too_large},
             {"most bytes of fields", start + fields(3, 40) + "\r\n", head_problem::none},
             {"more bytes of fields", start + fields(3, 41) + "\r\n", head_problem::fields_too_large},
             {"most fields", start + fields(3, 10) + "\r\n", head_problem::none},
             {"more fields", start + fields(4, 10) + "\r\n", head_problem::fields_too_large},
         }) {
        CAPTURE(r.name);
        CHECK(at_once(r.bytes, limits).problem == r.problem);
        CHECK(byte_by_byte(r.bytes, limits).problem == r.problem);
        if (r.problem == head_problem::none) CHECK(at_once(r.bytes, limits).length == r.bytes.size());
    }
}

TEST_CASE("H1-28: 8000 bytes of request line pass by default")
{
    auto const bytes = "GET /" + std::string(8000 - 14, 'a') + " HTTP/1.1\r\n\r\n";
    CHECK(at_once(bytes, {}).length == bytes.size());
    CHECK(bytes.size() <= head_limits{}.total());
}
