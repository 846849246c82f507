#include "partition/request_values.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace penstock::partition;

namespace {

using values = std::vector<std::string>;

values all_in_query(std::string_view query, std::string_view name)
{
    values found;
    while (auto const value = next_query_value(query, name)) found.emplace_back(*value);
    return found;
}

values all_in_cookies(std::string_view line, std::string_view name)
{
    values found;
    while (auto const value = next_cookie_value(line, name)) found.emplace_back(*value);
    return found;
}

std::string decoded(std::string_view text, plus reading)
{
    std::string all;
    for (decoder bytes{text, reading};;) {
        auto const c = bytes.next();
        if (!c) return all;
        all.push_back(*c);
    }
}

} // namespace

TEST_CASE("AK-1: a parameter is found under every spelling of its name, and in no other")
{
    CHECK(all_in_query("", "k").empty());
    CHECK(all_in_query("k=a", "k") == values{"a"});
    CHECK(all_in_query("x=1&k=a&k=b", "k") == values{"a", "b"});
    CHECK(all_in_query("%6b=a&%6B=b&K=c", "k") == values{"a", "b"});
    CHECK(all_in_query("api%5Fkey=a&api_key=b", "api_key") == values{"a", "b"});
    CHECK(all_in_query("k&k=", "k") == values{"", ""});
    CHECK(all_in_query("k=a=b&&", "k") == values{"a=b"});
    CHECK(all_in_query("kk=a&k k=b&xk=c", "k").empty());
    CHECK(all_in_query("a+b=1", "a b") == values{"1"});
}

TEST_CASE("AK-1: a cookie is found by its name")
{
    CHECK(all_in_cookies("", "k").empty());
    CHECK(all_in_cookies("k=a", "k") == values{"a"});
    CHECK(all_in_cookies("x=1; k=\"a\" ;K=b; k=c", "k") == values{"a", "c"});
    CHECK(all_in_cookies("k", "k") == values{""});
    CHECK(all_in_cookies("k=a=b", "k") == values{"a=b"});
    CHECK(all_in_cookies("%6b=a", "k").empty()); // cookies are not percent-encoded
}

TEST_CASE("percent-decoding happens once")
{
    CHECK(decoded("a%41%2541", plus::is_plus) == "aA%41");
    CHECK(decoded("a+b", plus::is_plus) == "a+b");
    CHECK(decoded("a+b", plus::is_space) == "a b");
    CHECK(decoded("%4", plus::is_plus) == "%4");
    CHECK(decoded("%zz%", plus::is_plus) == "%zz%");
    CHECK(needs_decoding("a%41", plus::is_plus));
    CHECK(!needs_decoding("a+b", plus::is_plus));
    CHECK(needs_decoding("a+b", plus::is_space));
}
