#include "partition/digest_table.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace penstock::partition;

TEST_CASE("AK-12: digests are compared, not keys, and each is found at its place")
{
    std::vector<sha256_digest> digests;
    for (int i = 0; i < 1000; ++i) digests.push_back(digest_of("key-" + std::to_string(i)));
    digest_table const table(digests);
    for (int i = 0; i < 1000; ++i) CHECK(table.find(digest_of("key-" + std::to_string(i))) == static_cast<std::size_t>(i));
    for (int i = 1000; i < 3000; ++i) CHECK(!table.contains(digest_of("key-" + std::to_string(i))));
}

TEST_CASE("a digest that differs in one bit is another one")
{
    auto const known = digest_of("abc");
    CHECK(known[0] == 0xba); // FIPS 180-2, appendix B.1
    CHECK(known[31] == 0xad);
    digest_table const table(std::vector{known});
    for (std::size_t bit = 0; bit < 256; ++bit) {
        auto other = known;
        other[bit / 8] = static_cast<std::uint8_t>(other[bit / 8] ^ (1U << bit % 8));
        CHECK(!table.contains(other));
    }
    CHECK(table.contains(known));
}

TEST_CASE("a table of nothing holds nothing, and of two alike the first counts")
{
    CHECK(digest_table{}.empty());
    CHECK(!digest_table{}.contains(digest_of("a")));
    std::vector const twice{digest_of("a"), digest_of("b"), digest_of("b")};
    CHECK(digest_table(twice).find(digest_of("b")) == 1U);
}
