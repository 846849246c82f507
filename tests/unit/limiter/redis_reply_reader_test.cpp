#include "limiter/redis/reply_reader.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace penstock::limiter::redis {
namespace {

std::string bulk(std::string const& bytes) { return "$" + std::to_string(bytes.size()) + "\r\n" + bytes + "\r\n"; }

// Feeds everything and returns what came out, as text; "protocol" ends it.
std::vector<std::string> read_all(std::string_view bytes, std::size_t step)
{
    reply_reader reader;
    std::vector<std::string> seen;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
        auto const part = bytes.substr(at, step);
        if (reader.feed({part.data(), part.size()})) {
            seen.emplace_back("protocol");
            return seen;
        }
        for (;;) {
            auto const next = reader.next();
            if (!next) {
                seen.emplace_back("protocol");
                return seen;
            }
            if (!*next) break;
            static constexpr char const* kinds[] = {"bulk ", "status ", "error ", "array ", "other "};
            seen.push_back(kinds[static_cast<int>((*next)->kind)] + std::string((*next)->text));
        }
    }
    return seen;
}

} // namespace

TEST_CASE("replies are found whatever the pieces they come in")
{
    std::string const bytes = "+PONG\r\n" + bulk("two\r\nlines") + "-ERR no\r\n:5\r\n$-1\r\n*2\r\n:1\r\n$1\r\nx\r\n" + bulk("");
    std::vector<std::string> const expected = {"status PONG", "bulk two\r\nlines", "error ERR no", "other ",
                                               "other ",      "array x\n",         "bulk "};
    for (std::size_t step = 1; step <= bytes.size(); ++step) {
        CAPTURE(step);
        CHECK(read_all(bytes, step) == expected);
    }
}

TEST_CASE("what is no RESP, or too long for any reply of ours, is refused before it is whole")
{
    struct row {
        char const* name;
        std::string bytes;
    };
    for (auto const& row :
         {row{"HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n"}, row{"no length", "$x\r\n"},
          row{"endless bulk", "$1000000000\r\n" + std::string(8192, 'x')}, row{"endless line", "+" + std::string(8192, 'x')}}) {
        CAPTURE(row.name);
        auto const seen = read_all(row.bytes, 512);
        REQUIRE(seen.size() == 1);
        CHECK(seen[0] == "protocol");
    }
}

} // namespace penstock::limiter::redis
