// Whoever gives a permit back tells the waiting room.
#include "limiter/acquire.hpp"

#include "tests/unit/limiter/claims.hpp"

#include <doctest/doctest.h>

#include <array>

namespace penstock::limiter {
namespace {

TEST_CASE("giving back tells the room of each permit, once, and of nothing else")
{
    memory_store memory({.max_keys = 100});
    waiting_room room(10);
    auto const database = tests::policy_of("database", concurrency{1});
    auto const rate = tests::policy_of("rate", *make_token_bucket(10, 10, tests::seconds(1)));
    std::array const asked{tests::claim_of(database, "x"), tests::claim_of(rate, "x")};
    decision const yes;
    answer const allowed{.by = answerer::memory, .said = &yes, .at = tests::start};
    auto const gate = admit(asked, std::array{allowed, allowed});
    stores const from{memory, nullptr, &room};

    give_back(from, asked, gate, extent::permits);
    CHECK(room.releases() == 1);
    give_back(from, asked, gate, extent::everything);
    CHECK(room.releases() == 2);

    decision const no{.allowed = false, .retry_after = tests::seconds(1)};
    auto const refused = admit(asked, std::array{answer{.by = answerer::memory, .said = &no, .at = tests::start}, allowed});
    give_back(from, asked, refused, extent::everything);
    CHECK(room.releases() == 2);
}

} // namespace
} // namespace penstock::limiter
