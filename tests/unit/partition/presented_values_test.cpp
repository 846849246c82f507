// What a request presents under a name, in the one spelling that its key has.
#include "tests/unit/partition/identified_request.hpp"

#include <doctest/doctest.h>

#include <string_view>

using namespace penstock;
using namespace penstock::identified;
using partition::entry_source;

TEST_CASE("AK-8: an empty value is a missing one")
{
    CHECK(of_fields({{"X-Tenant", ""}}, one(entry_source::header, "x-tenant")) == "missing");
    CHECK(of_fields({{"Cookie", "sid=; sid"}}, one(entry_source::cookie, "sid")) == "missing");
    CHECK(of_query("q") == "missing");
    CHECK(of_query("q=&q=") == "missing");
}

TEST_CASE("AK-11: several lines of a field count together, in order")
{
    auto const tenant = one(entry_source::header, "x-tenant");
    CHECK(of_fields({{"X-Tenant", "a"}, {"Other", "x"}, {"x-tenant", "b"}}, tenant) == "{header.x-tenant=a%2Cb}");
    CHECK(of_fields({{"X-Tenant", "b"}, {"X-Tenant", "a"}}, tenant) == "{header.x-tenant=b%2Ca}");
    CHECK(of_fields({{"X-Tenant", ""}, {"X-Tenant", "a"}}, tenant) == "{header.x-tenant=a}");
}

TEST_CASE("AK-11: no spelling of a query value makes a second bucket")
{
    auto const expected = of_query("q=A%20b");
    CHECK(expected == "{query.q=A%20b}");
    for (std::string_view const query :
         {"q=A+b", "q=%41+b", "q=%41%20%62", "%71=A+b", "x=1&q=A+b&y=2", "&&q=A+b&", "q=&q=A+b"}) {
        CAPTURE(query);
        CHECK(of_query(query) == expected);
    }
    CHECK(of_query("q=%2541") == "{query.q=%2541}"); // decoded once
    CHECK(of_query("q=a%2Bb") == "{query.q=a+b}");
    CHECK(of_query("q=100%") == of_query("q=100%25"));
    CHECK(of_query("q=%zz") == "{query.q=%25zz}");
    CHECK(of_query("Q=a") == "missing");
    CHECK(of_query("qq=a&q2=b") == "missing");
    CHECK(of_query("q=a=b") == "{query.q=a%3Db}");
}

TEST_CASE("AK-11: several parameters of one name cannot be imitated by one value")
{
    CHECK(of_query("q=a&q=b") == "{query.q=a&b}");
    CHECK(of_query("q=a%26b") == "{query.q=a%26b}");
    CHECK(of_query("q=a&q=b") != of_query("q=b&q=a"));
}

TEST_CASE("AK-11: cookies of one name count together, with or without quotes")
{
    auto const sid = one(entry_source::cookie, "sid");
    auto const expected = of_fields({{"Cookie", "sid=abc"}}, sid);
    CHECK(of_fields({{"Cookie", "a=b; sid=\"abc\" ;c=d"}}, sid) == expected);
    CHECK(of_fields({{"Cookie", "a=b;sid=abc"}}, sid) == expected);
    CHECK(of_fields({{"Cookie", "a=b"}, {"cookie", "\tsid = abc"}}, sid) == expected);
    CHECK(of_fields({{"Cookie", "SID=abc"}}, sid) == "missing");
    CHECK(of_fields({{"Cookie", "xsid=abc; sid2=abc"}}, sid) == "missing");
    auto const two = of_fields({{"Cookie", "sid=abc; sid=def"}}, sid);
    CHECK(two != expected);
    CHECK(two == of_fields({{"Cookie", "sid=abc"}, {"Cookie", "sid=def"}}, sid));
    CHECK(two != of_fields({{"Cookie", "sid=abc%3Bdef"}}, sid));
    CHECK(two != of_fields({{"Cookie", "sid=def; sid=abc"}}, sid));
}

TEST_CASE("H1-120: no spelling of a capture makes a second bucket")
{
    auto const of_capture = [](std::string_view value) {
        request r;
        r.captures = {{"id", value}};
        r.use();
        return identity({one(entry_source::path_capture, "id")}, r.facts);
    };
    CHECK(of_capture("a%3Ab") == "{path.id=a:b}");
    CHECK(of_capture("a:b") == "{path.id=a:b}");
    CHECK(of_capture("a+b") == "{path.id=a+b}");
    CHECK(of_capture("a%20b") == "{path.id=a%20b}");
    CHECK(of_capture("%253A") == "{path.id=%253A}");
}
