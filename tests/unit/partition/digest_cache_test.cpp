#include "partition/digest_cache.hpp"
#include "partition/text_hasher.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>

using namespace penstock::partition;

namespace {

hash_secret const secret{{1, 2, 3}};

digest_cache::digest hash_of(std::string_view text, digest_cache* lately, std::size_t piece = std::string_view::npos)
{
    text_hasher hasher{secret, lately};
    while (!text.empty()) {
        hasher.update(text.substr(0, piece));
        text.remove_prefix(std::min(piece, text.size()));
    }
    return hasher.finish();
}

digest_cache::digest plain_hash_of(std::string_view text)
{
    keyed_hasher hasher{secret};
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

TEST_CASE("AK-5: a hash that is known is not made again, whatever pieces its text comes in, up to the longest that is kept")
{
    digest_cache lately{{.k0 = 4, .k1 = 2}};
    digest_cache::digest const planted{1, 2, 3}; // no hash of anything
    for (std::size_t const size : {1, 55, 63, 64, 65, 300, 512}) {
        CAPTURE(size);
        std::string const text(size, 'k');
        lately.find_or_add(text).value = planted;
        CHECK(hash_of(text, &lately) == planted);
        CHECK(hash_of(text, &lately, 1) == planted);
        CHECK(hash_of(text, nullptr) == plain_hash_of(text));
    }
    std::string const longer(text_hasher::longest_kept + 1, 'k');
    lately.find_or_add(longer).value = planted;
    CHECK(hash_of(longer, &lately) == plain_hash_of(longer));
}

TEST_CASE("AK-5: the callers of a quarter of the cache's capacity keep their places, whoever else comes by")
{
    digest_cache lately{{.k0 = 4, .k1 = 2}};
    std::size_t asked = 0;
    std::size_t known = 0;
    for (int round = 0; round < 20; ++round) {
        for (std::size_t i = 0; i < digest_cache::capacity / 4; ++i) {
            known += lately.find_or_add("busy-" + std::to_string(i)).is_known;
            ++asked;
        }
        (void)lately.find_or_add("passing by-" + std::to_string(round)).is_known;
    }
    CHECK(known > asked * 9 / 10); // all but the first round and a few that share a set with too many others
}

TEST_CASE("AK-5: the hash is the same with a cache and without one, however many values take each other's place")
{
    digest_cache lately{{.k0 = 4, .k1 = 2}};
    std::size_t known = 0;
    for (int round = 0; round < 3; ++round) {
        for (std::size_t i = 0; i < 2 * digest_cache::capacity; ++i) {
            auto const text = std::to_string(i) + std::string(i % 70, 'x');
            REQUIRE(hash_of(text, &lately) == plain_hash_of(text));
            known += lately.find_or_add(text).is_known;
        }
    }
    CHECK(known > 0);
}

TEST_CASE("AK-5: texts of any length in any pieces, kept or too long to be")
{
    digest_cache lately{{.k0 = 4, .k1 = 2}};
    std::string text;
    for (std::size_t size = 0; size <= 2 * text_hasher::longest_kept + 3; ++size) {
        CAPTURE(size);
        auto const expected = plain_hash_of(text);
        for (std::size_t const piece : {1, 64, 511, 512, 513, 5'000}) {
            CAPTURE(piece);
            REQUIRE(hash_of(text, &lately, piece) == expected); // made or, from the second piece size on, found
            REQUIRE(hash_of(text, nullptr, piece) == expected);
        }
        text.push_back(static_cast<char>(size * 7 + 3));
    }
}
