#include "proxy/path_pattern.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace penstock::proxy;

namespace {

// "no", or the captures as `name=value` joined by blanks.
std::string matched(std::string_view pattern, std::string_view path)
{
    REQUIRE(path_pattern::problem_with(pattern) == "");
    path_pattern const compiled{pattern};
    path_captures captures;
    if (!compiled.match(path, captures)) return "no";
    std::string text;
    for (auto const& [name, value] : captures) text.append(text.empty() ? "" : " ").append(name).append("=").append(value);
    return text;
}

} // namespace

TEST_CASE("patterns and the paths that they match")
{
    struct row {
        std::string_view pattern, path, expected;
    };
    for (auto const& r : {
             row{"/", "/", ""},
             row{"/", "/a", "no"},
             row{"/a", "/a", ""},
             row{"/a", "/a/", "no"}, // H1-126: a trailing slash is another path
             row{"/a/", "/a/", ""},
             row{"/a/", "/a", "no"},
             row{"/a", "/A", "no"},
             row{"/a", "/ab", "no"},
             row{"/ab", "/a", "no"},
             row{"/a", "/", "no"},
             row{"/a/b", "/a/b", ""},
             row{"/a/b", "/a/b/c", "no"},
             row{"/a/*", "/a/x", ""},
             row{"/a/*", "/a", "no"},
             row{"/a/*", "/a/", "no"},
             row{"/a/*", "/a/x/y", "no"},
             row{"/a/*", "/a/x/", "no"},
             row{"/a/*/c", "/a/x/c", ""},
             row{"/a/*/c", "/a/c", "no"},
             row{"/a/**", "/a", ""},
             row{"/a/**", "/a/", ""},
             row{"/a/**", "/a/x", ""},
             row{"/a/**", "/a/x/y/", ""},
             row{"/a/**", "/ab", "no"},
             row{"/a/**", "/", "no"},
             row{"/**", "/", ""},
             row{"/**", "/a/b", ""},
             row{"/users/{id}", "/users/7", "id=7"},
             row{"/users/{id}", "/users/", "no"},
             row{"/users/{id}", "/users/7/", "no"},
             row{"/users/{id}/orders/{order}", "/users/7/orders/x%20y", "id=7 order=x%20y"},
             row{"/{tenant}/**", "/acme/x/y", "tenant=acme"},
             row{"/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}", "/1/2/3/4/5/6/7/8", "a=1 b=2 c=3 d=4 e=5 f=6 g=7 h=8"},
         }) {
        CAPTURE(r.pattern);
        CAPTURE(r.path);
        CHECK(matched(r.pattern, r.path) == r.expected);
    }
}

TEST_CASE("H1-120: an escape of a reserved character takes the same route as the character")
{
    CHECK(matched("/v1:batch", "/v1:batch") == "");
    CHECK(matched("/v1:batch", "/v1%3Abatch") == "");
    CHECK(matched("/v1%3abatch", "/v1:batch") == "");
    CHECK(matched("/%6Cogin", "/login") == "");
    CHECK(matched("/caf%c3%a9", "/caf%C3%A9") == "");
    CHECK(matched("/a%20b", "/a%20b") == "");
    CHECK(matched("/a|b", "/a%7Cb") == "");
    CHECK(matched("/v1:batch", "/v1%253Abatch") == "no"); // decoded once
    CHECK(matched("/v1:batch", "/v1%3Abatc") == "no");
    CHECK(matched("/v1:b", "/v1%3Abatch") == "no");
}

TEST_CASE("a pattern without text matches every path")
{
    path_captures captures;
    CHECK(path_pattern{}.match("/", captures));
    CHECK(path_pattern{}.match("/a/b", captures));
    CHECK(path_pattern{}.text() == "/**");
}

TEST_CASE("a failed match leaves no capture of an earlier one")
{
    path_captures captures;
    CHECK(path_pattern{"/{a}"}.match("/x", captures));
    CHECK_FALSE(path_pattern{"/b"}.match("/x", captures));
    CHECK(captures.empty());
}

TEST_CASE("what is no pattern is refused with a reason")
{
    struct row {
        std::string_view text, part_of_reason;
    };
    for (auto const& r : {
             row{"", "begins with '/'"},       row{"a", "begins with '/'"},
             row{"/a*", "whole segments"},     row{"/***", "whole segments"},
             row{"/**/a", "last segment"},     row{"/{id", "whole segment"},
             row{"/id}", "whole segment"},     row{"/a{id}", "whole segment"},
             row{"/{}", "whole segment"},      row{"/{1}", "name of a capture"},
             row{"/{a b}", "must be escaped"}, row{"/{a.b}", "name of a capture"},
             row{"/{a}/{a}", "same name"},     row{"/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}", "more than 8"},
             row{"//a", "never matches"},      row{"/a/../b", "never match"},
             row{"/a/./b", "never match"},     row{"/a/%2e%2E/b", "never match"},
             row{"/a/%2e/b", "never match"},   row{"/a?b", "must be escaped"},
             row{"/a b", "must be escaped"},   row{"/a%2fb", "slash"},
             row{"/a%", "two hex digits"},     row{"/caf\xC3\xA9", "must be escaped"},
         }) {
        CAPTURE(r.text);
        auto const words = path_pattern::problem_with(r.text);
        CAPTURE(words);
        CHECK(words.find(r.part_of_reason) != std::string::npos);
    }
    CHECK(path_pattern::problem_with("/%2e%2E/a") != ""); // dots, however they are spelled
}
