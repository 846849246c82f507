// AK-36: what is remembered of tokens, for how long, and how many.
#include "auth/token_cache.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>

namespace penstock::auth {
namespace {

constexpr base::hash_key secret{1, 2};

verified_token_ptr token_until(std::int64_t expires_us, std::uint64_t version = 0, std::size_t issuer = 0)
{
    auto made = std::make_shared<verified_token>();
    made->expires_us = expires_us;
    made->key_set_version = version;
    made->issuer = issuer;
    return made;
}

} // namespace

TEST_CASE("AK-36 a token is found by all of its bytes until it ends")
{
    token_cache cache(10, secret);
    std::array<std::uint64_t, 1> const versions{0};
    auto const key = cache.key_of("a.b.c");
    CHECK(cache.find(key, 0, versions) == nullptr);
    auto const token = token_until(1000);
    cache.insert(key, token);
    CHECK(cache.find(key, 0, versions) == token);
    CHECK(cache.find(cache.key_of("a.b.d"), 0, versions) == nullptr);
    CHECK(cache.find(cache.key_of("a.b.c "), 0, versions) == nullptr);
    CHECK(cache.find(key, 999, versions) == token);
    CHECK(cache.find(key, 1000, versions) == nullptr);
    CHECK(cache.size() == 0);
    CHECK(cache.find(key, 0, versions) == nullptr); // time does not bring it back
}

TEST_CASE("AK-35 what was verified with keys that have been replaced is verified anew, of that issuer only")
{
    token_cache cache(10, secret);
    std::array<std::uint64_t, 2> versions{3, 5};
    cache.insert(cache.key_of("first"), token_until(1000, 3, 0));
    cache.insert(cache.key_of("second"), token_until(1000, 5, 1));
    versions[0] = 4;
    CHECK(cache.find(cache.key_of("first"), 0, versions) == nullptr);
    CHECK(cache.find(cache.key_of("second"), 0, versions) != nullptr);
    CHECK(cache.size() == 1);
}

TEST_CASE("AK-36 the token that was unused for longest makes room; without room none is kept")
{
    std::array<std::uint64_t, 1> const versions{0};
    token_cache cache(3, secret);
    for (auto const* each : {"1", "2", "3"}) cache.insert(cache.key_of(each), token_until(1000));
    CHECK(cache.find(cache.key_of("1"), 0, versions) != nullptr);
    cache.insert(cache.key_of("4"), token_until(1000));
    CHECK(cache.size() == 3);
    CHECK(cache.find(cache.key_of("2"), 0, versions) == nullptr);
    for (auto const* each : {"1", "3", "4"}) CHECK(cache.find(cache.key_of(each), 0, versions) != nullptr);
    cache.insert(cache.key_of("4"), token_until(2000)); // verified twice at one time
    CHECK(cache.size() == 3);
    CHECK(cache.find(cache.key_of("4"), 0, versions)->expires_us == 2000);

    token_cache none(0, secret);
    none.insert(none.key_of("1"), token_until(1000));
    CHECK(none.size() == 0);
}

TEST_CASE("AK-36 another process' cache has other keys")
{
    CHECK(token_cache(1, {1, 2}).key_of("a.b.c") != token_cache(1, {1, 3}).key_of("a.b.c"));
}

} // namespace penstock::auth
