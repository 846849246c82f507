#include "partition/digest_cache.hpp"
#include "partition/keyed_hasher.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>

using namespace penstock::partition;

namespace {

hash_secret const secret{{1, 2, 3}};

digest_cache::digest hash_of(std::string_view text, digest_cache* lately)
{
    keyed_hasher hasher{secret, lately};
    hasher.update(text);
    return hasher.finish();
}

} // namespace

TEST_CASE("AK-5: a value is found again, and no other in its place")
{
    digest_cache lately{{.k0 = 4, .k1 = 2}};
    auto const first = lately.find_or_add("a");
    CHECK(!first.is_known);
    first.value = {1, 2, 3};
    auto const again = lately.find_or_add("a");
    CHECK(again.is_known);
    CHECK(again.value == digest_cache::digest{1, 2, 3});
    CHECK(!lately.find_or_add("b").is_known);
    CHECK(!lately.find_or_add("").is_known); // an empty cache knows nothing, not even this
}

TEST_CASE("AK-5: the hash is the same with a cache and without one, however many values take each other's place")
{
    digest_cache lately{{.k0 = 4, .k1 = 2}};
    std::size_t known = 0;
    for (int round = 0; round < 3; ++round) {
        for (std::size_t i = 0; i < 2 * digest_cache::capacity; ++i) {
            auto const text = std::to_string(i) + std::string(i % 70, 'x'); // up to and beyond the block that a cache keeps
            REQUIRE(hash_of(text, &lately) == hash_of(text, nullptr));
            known += lately.find_or_add(text).is_known;
        }
    }
    CHECK(known > 0);
}
