#include "base/field_name.hpp"

#include <doctest/doctest.h>

using namespace penstock::base;

TEST_CASE("IP-5: field names are equal without regard to case, and only then")
{
    CHECK(is_field("X-Forwarded-For", "x-forwarded-for"));
    CHECK(is_field("x-FORWARDED-for", "x-forwarded-for"));
    CHECK_FALSE(is_field("X-Forwarded-Fo", "x-forwarded-for"));
    CHECK_FALSE(is_field("X_Forwarded_For", "x-forwarded-for"));
    CHECK_FALSE(is_field("", "te"));
    CHECK(same_field("x-FOO", "X-foo"));
    CHECK_FALSE(same_field("x-foo", "x-fo"));
    CHECK_FALSE(same_field("x-foo", "x_foo"));
    CHECK_FALSE(is_field("\x54\xC5", "te")); // no locale: only A to Z have a lower case
}

TEST_CASE("IP-7: optional white space is blanks and tabs, nothing else")
{
    CHECK(trim_ows(" \t a b \t") == "a b");
    CHECK(trim_ows("a") == "a");
    CHECK(trim_ows(" \t ") == "");
    CHECK(trim_ows("") == "");
    CHECK(trim_ows("\va\f") == "\va\f");
}
