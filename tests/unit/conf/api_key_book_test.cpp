// Known API keys: who presents which digest (AK-12), and what the key brings along.
#include "conf/api_key_book.hpp"

#include "conf/words.hpp"

#include <doctest/doctest.h>

using namespace penstock;

namespace {

// SHA-256 of `foo` and of `bar`.
constexpr char foo[] = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";
constexpr char bar[] = "fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9";

conf::api_key_book two_keys()
{
    return conf::api_key_book{
        {{"first", *conf::parse_digest(foo), {{"plan", "gold"}, {"quota", "500"}}}, {"second", *conf::parse_digest(bar), {}}}};
}

conf::api_key_book::entry const* find(conf::api_key_book const& book, std::string_view key)
{
    return book.find(partition::digest_of(key));
}

} // namespace

TEST_CASE("AK-12: a presented key is found by its digest")
{
    auto const book = two_keys();
    auto const* found = find(book, "foo");
    REQUIRE(found);
    CHECK(found->name == "first");
    REQUIRE(found->attributes.size() == 2);
    CHECK(found->attributes[0].name == "plan");
    CHECK(found->attributes[0].value == "gold");
    REQUIRE(find(book, "bar"));
    CHECK(find(book, "bar")->attributes.empty());
}

TEST_CASE("AK-12: nothing else is found, the digest itself included")
{
    auto const book = two_keys();
    for (auto const* presented : {"", "fo", "fooo", "FOO", foo, "first"}) {
        CAPTURE(presented);
        CHECK(find(book, presented) == nullptr);
    }
    CHECK(find(conf::api_key_book{{}}, "foo") == nullptr);
}
