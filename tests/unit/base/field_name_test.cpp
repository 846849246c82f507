#include "base/field_name.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

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

TEST_CASE("IP-5: each byte of a name counts, wherever it stands, and only a to z have another case")
{
    for (std::size_t const size : {1, 7, 8, 9, 15, 16, 17, 24, 31}) {
        for (std::size_t at = 0; at < size; ++at) {
            for (int wanted = 0; wanted < 256; ++wanted) {
                if (wanted >= 'A' && wanted <= 'Z') continue; // names are asked for in lower case
                std::string lower(size, 'm');
                lower[at] = static_cast<char>(wanted);
                std::string name(size, 'M');
                for (int given = 0; given < 256; ++given) {
                    name[at] = static_cast<char>(given);
                    auto const same = given == wanted || (wanted >= 'a' && wanted <= 'z' && given == wanted - 'a' + 'A');
                    if (is_field(name, lower) == same) continue;
                    CAPTURE(size);
                    CAPTURE(at);
                    CAPTURE(wanted);
                    CAPTURE(given);
                    CHECK(is_field(name, lower) == same);
                }
            }
        }
    }
    CHECK(is_field("", ""));
    CHECK(is_field(std::string_view{}, std::string_view{}));
}

TEST_CASE("IP-7: optional white space is blanks and tabs, nothing else")
{
    CHECK(trim_ows(" \t a b \t") == "a b");
    CHECK(trim_ows("a") == "a");
    CHECK(trim_ows(" \t ") == "");
    CHECK(trim_ows("") == "");
    CHECK(trim_ows("\va\f") == "\va\f");
}
