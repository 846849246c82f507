// The reply of lua/lease.lua taken apart, and what is none. What Redis itself makes of the call: tests/contract/lease_test.
#include "limiter/redis/lease_codec.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstring>
#include <string>

namespace penstock::tests {
namespace {

using limiter::redis::reply;

std::string packed(std::array<std::int64_t, 7> const& words)
{
    std::string bytes(sizeof words, '\0');
    std::memcpy(bytes.data(), words.data(), sizeof words);
    return bytes;
}

auto decoded(std::string const& bytes) { return limiter::redis::decode_lease({reply::type::bulk, bytes, bytes.size()}); }

} // namespace

TEST_CASE("the reply to a lease, word by word")
{
    auto const bytes = packed({1'000, 20, 5'000, 4'000, 7, 900, -1});
    auto const answer = decoded(bytes);
    REQUIRE(answer.has_value());
    CHECK(*answer == limiter::lease_answer{.now = base::at_epoch_us(1'000),
                                           .granted = 20,
                                           .lapses_at_us = 5'000,
                                           .valid_for = base::micros{4'000},
                                           .remaining = 7,
                                           .reset_after = base::micros{900},
                                           .retry_after = limiter::never});
}

TEST_CASE("what is no reply to a lease is an error, never a permit")
{
    auto const good = packed({1'000, 20, 5'000, 4'000, 7, 900, 0});
    CHECK(decoded(good.substr(1)).error() == limiter::errc::protocol);
    CHECK(decoded(good + "x").error() == limiter::errc::protocol);
    CHECK(decoded(packed({1'000, -1, 5'000, 4'000, 7, 900, 0})).error() == limiter::errc::protocol);
    CHECK(decoded(packed({1'000, 20, 5'000, -4, 7, 900, 0})).error() == limiter::errc::protocol);
    CHECK(limiter::redis::decode_lease({reply::type::status, good, good.size()}).error() == limiter::errc::protocol);
    std::string const loading = "LOADING Redis is loading the dataset in memory";
    CHECK(limiter::redis::decode_lease({reply::type::error, loading, loading.size()}).error() == limiter::errc::loading);
}

} // namespace penstock::tests
