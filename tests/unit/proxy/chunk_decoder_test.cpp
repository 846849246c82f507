#include "proxy/chunk_decoder.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <random>
#include <string>
#include <vector>

using namespace penstock::proxy;

namespace {

using state = chunk_decoder::state;

struct decoded {
    std::string content;
    std::string left; // given but not consumed
    state last = state::need_more;
    friend bool operator==(decoded const&, decoded const&) = default;
};

// Feeds `wire` in portions of the sizes that `portion` says, keeping what was not consumed, as a connection's buffer does.
decoded decode(std::string_view wire, std::function<std::size_t()> const& portion)
{
    chunk_decoder decoder;
    decoded result;
    while (!wire.empty()) {
        auto const given = wire.substr(0, portion());
        result.left += given;
        wire.remove_prefix(given.size());
        for (;;) {
            auto const step = decoder.next(result.left);
            result.content += step.content;
            result.left.erase(0, step.consumed);
            result.last = step.what;
            if (step.what != state::piece) break;
        }
        if (result.last != state::need_more) {
            result.left += wire;
            break;
        }
    }
    CHECK(decoder.is_done() == (result.last == state::done));
    return result;
}

decoded at_once(std::string_view wire)
{
    return decode(wire, [&] { return wire.size(); });
}

decoded byte_by_byte(std::string_view wire)
{
    return decode(wire, [] { return std::size_t{1}; });
}

// Whole trailer lines of `total` bytes.
std::string trailers_of(std::size_t total)
{
    std::string lines;
    while (lines.size() < total) {
        auto const length = std::min<std::size_t>(1000, total - lines.size());
        lines += "t:" + std::string(length - 4, 'v') + "\r\n";
    }
    return lines;
}

} // namespace

TEST_CASE("H1-47, H1-49, H1-50: valid bodies give their content; extensions and trailers are dropped")
{
    struct row {
        std::string_view name;
        std::string wire;
        std::string content;
        std::string left = {};
    };
    for (auto const& r : std::vector<row>{
             {"no content", "0\r\n\r\n", ""},
             {"one chunk", "5\r\nhello\r\n0\r\n\r\n", "hello"},
             {"several chunks", "1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n0\r\n\r\n", "abcdef"},
             {"hex digits of both cases", "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789"},
             {"leading zeros", "0005\r\nhello\r\n000\r\n\r\n", "hello"},
             {"line ends in content", "4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n"},
             {"extension without value", "5;a\r\nhello\r\n0\r\n\r\n", "hello"},
             {"extension with a token", "5;a=b\r\nhello\r\n0;c=d\r\n\r\n", "hello"},
             {"several extensions", "5;a;b=c;d=\"e\"\r\nhello\r\n0\r\n\r\n", "hello"},
             {"blanks where the grammar has BWS", "5 ; a = b\t;\tc\r\nhello\r\n0\r\n\r\n", "hello"},
             {"quoted value", "5;a=\"b;c=d \t\x80\"\r\nhello\r\n0\r\n\r\n", "hello"},
             {"quoted pairs", "5;a=\"\\\"\\\\\"\r\nhello\r\n0\r\n\r\n", "hello"},
             {"empty quoted value", "5;a=\"\"\r\nhello\r\n0\r\n\r\n", "hello"},
             {"trailers", "1\r\na\r\n0\r\nX-API-Key: other\r\nContent-Length: 7\r\nEmpty:\r\n\r\n", "a"},
             {"what follows the body is not touched", "1\r\na\r\n0\r\n\r\nGET / HTTP/1.1\r\n", "a", "GET / HTTP/1.1\r\n"},
         }) {
        CAPTURE(r.name);
        auto const whole = at_once(r.wire);
        CHECK(whole.last == state::done);
        CHECK(whole.content == r.content);
        CHECK(whole.left == r.left);
        CHECK(byte_by_byte(r.wire) == whole);
    }
}

TEST_CASE("H1-47, H1-48, H1-49, H1-50: what two parsers could read in two ways is broken")
{
    struct row {
        std::string_view name;
        std::string wire;
    };
    using namespace std::string_literals;
    for (auto const& r : std::vector<row>{
             {"0x prefix", "0x5\r\nhello\r\n"},
             {"plus sign", "+5\r\nhello\r\n"},
             {"minus sign", "-1\r\nhello\r\n"},
             {"trailing space", "5 \r\nhello\r\n"},
             {"leading space", " 5\r\nhello\r\n"},
             {"underscore", "5_0\r\nhello\r\n"},
             {"no hex digit", "g\r\nhello\r\n"},
             {"no size at all", "\r\nhello\r\n"},
             {"17 digits", "00000000000000005\r\nhello\r\n"},
             {"2^64 and five", "10000000000000005\r\nhello\r\n"},
             {"2^60", "1000000000000000\r\nhello\r\n"},
             {"NUL in the size", "5\0\r\nhello\r\n"s},
             {"bare LF ends the size", "5\nhello\r\n"},
             {"bare CR ends the size", "5\rhello\r\n"},
             {"CR CR LF ends the size", "5\r\r\nhello\r\n"},
             {"bare LF in an extension", "5;a\nhello\r\n"},
             {"bare CR in an extension", "5;a\rb\r\nhello\r\n"},
             {"content is longer than its size", "4\r\nhello\r\n"},
             {"bare LF after the content", "5\r\nhello\n0\r\n\r\n"},
             {"bare CR after the content", "5\r\nhello\r0\r\n\r\n"},
             {"nothing after the content", "5\r\nhello0\r\n\r\n"},
             {"bare semicolon", "5;\r\nhello\r\n"},
             {"two semicolons", "5;;a\r\nhello\r\n"},
             {"extension without a value after =", "5;a=\r\nhello\r\n"},
             {"extension without a name", "5;=b\r\nhello\r\n"},
             {"extension that is no token", "5;a@b\r\nhello\r\n"},
             {"blanks behind an extension", "5;a=b \r\nhello\r\n"},
             {"control character in an extension", "5;a=\x01\r\nhello\r\n"},
             {"unterminated quote", "5;a=\"b\r\nhello\r\n"},
             {"quote ended by a quoted pair only", "5;a=\"b\\\"\r\nhello\r\n"},
             {"backslash ends a quote", "5;a=\"b\\\r\nhello\r\n"},
             {"LF in a quote", "5;a=\"b\nc\"\r\nhello\r\n"},
             {"CRLF in a quote", "5;a=\"b\r\nc\"\r\nhello\r\n"},
             {"CR in a quote", "5;a=\"b\rc\"\r\nhello\r\n"},
             {"NUL in a quote", "5;a=\"\0\"\r\nhello\r\n"s},
             {"text behind a quote", "5;a=\"b\"c\r\nhello\r\n"},
             {"trailer without a colon", "0\r\nX\r\n\r\n"},
             {"trailer without a name", "0\r\n: v\r\n\r\n"},
             {"trailer with a blank before the colon", "0\r\nX : v\r\n\r\n"},
             {"folded trailer", "0\r\nX: v\r\n w\r\n\r\n"},
             {"bare LF ends a trailer", "0\r\nX: v\n\r\n"},
             {"bare CR in a trailer", "0\r\nX: v\rY: w\r\n\r\n"},
             {"control character in a trailer", "0\r\nX: \x7f\r\n\r\n"},
             {"bare LF ends the body", "0\r\n\n"},
         }) {
        CAPTURE(r.name);
        auto const whole = at_once(r.wire);
        CHECK(whole.last == state::broken);
        auto const slow = byte_by_byte(r.wire);
        CHECK(slow.last == state::broken);
        CHECK(slow.content == whole.content);
    }
}

TEST_CASE("H1-47: the largest size that is taken is no overflow")
{
    chunk_decoder decoder;
    auto const step = decoder.next("fffffffffffffff\r\nabc");
    CHECK(step.what == state::piece);
    CHECK(step.content == "abc");
    CHECK(decoder.next("").what == state::need_more);
    CHECK(!decoder.is_done());
}

TEST_CASE("H1-49, H1-50: extensions and trailers are bounded, whether or not their line ever ends")
{
    auto const longest = chunk_decoder::longest_line;
    struct row {
        std::string_view name;
        std::string wire;
        state last;
    };
    auto const extension = [](std::size_t line) { return "1;" + std::string(line - 2, 'a'); };
    for (auto const& r : std::vector<row>{
             {"longest size line", extension(longest - 1) + "\r\nx\r\n0\r\n\r\n", state::done},
             {"one byte more", extension(longest) + "\r\nx\r\n0\r\n\r\n", state::broken},
             {"64 KiB without an end", extension(64 * 1024), state::broken},
             {"endless trailer line", "0\r\nt:" + std::string(longest, 'v'), state::broken},
             {"most trailers", "0\r\n" + trailers_of(chunk_decoder::most_trailer_bytes) + "\r\n", state::done},
             {"more trailers", "0\r\n" + trailers_of(chunk_decoder::most_trailer_bytes) + "t:v\r\n\r\n", state::broken},
         }) {
        CAPTURE(r.name);
        CHECK(at_once(r.wire).last == r.last);
        CHECK(byte_by_byte(r.wire).last == r.last);
    }
}

TEST_CASE("H1-55: a body that stops anywhere is not done")
{
    std::string const wire = "5;a=\"b\"\r\nhello\r\n0\r\nX: v\r\n\r\n";
    for (std::size_t length = 1; length < wire.size(); ++length) {
        CAPTURE(length);
        CHECK(at_once(wire.substr(0, length)).last == state::need_more);
    }
}

TEST_CASE("H1-47..H1-50: random bodies, some damaged, read the same in whatever portions they arrive")
{
    auto const seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937 random(seed);
    auto const below = [&](std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random); };
    constexpr std::string_view alphabet("\r\n;=\"\\0a5 \t:x\0", 14);
    auto const letter = [&] { return alphabet[below(alphabet.size())]; };
    constexpr std::string_view extensions[] = {"", "", ";a", ";a=b", " ; c=\"d\\\"e\""};

    for (int round = 0; round < 3000; ++round) {
        CAPTURE(round);
        std::string content;
        std::string wire;
        for (auto chunks = below(5); chunks > 0; --chunks) {
            std::string chunk(1 + below(20), 'x');
            for (auto& c : chunk) c = letter();
            content += chunk;
            constexpr std::string_view digits = "0123456789abcdef";
            wire += std::string(below(3), '0') + digits[chunk.size() / 16] + digits[chunk.size() % 16];
            wire.append(extensions[below(5)]).append("\r\n").append(chunk).append("\r\n");
        }
        wire += "0\r\n";
        for (auto trailers = below(3); trailers > 0; --trailers) wire += "name: value\r\n";
        wire += "\r\n";
        bool const damaged = below(2) == 0;
        if (damaged) wire[below(wire.size())] = letter();

        auto const whole = at_once(wire);
        if (!damaged) {
            CHECK(whole.last == state::done);
            CHECK(whole.content == content);
        }
        for (auto const& slow : {byte_by_byte(wire), decode(wire, [&] { return 1 + below(9); })}) {
            CHECK(slow.last == whole.last);
            CHECK(slow.content == whole.content);
        }
    }
}
