#include "limiter/counter_table.hpp"
#include "tests/unit/limiter/claims.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>

namespace penstock::limiter {
namespace {

using tests::seconds;
using tests::start;

counter_state until(base::instant when, std::int64_t extra = 0) { return {base::since_epoch_us(when), extra}; }

// Tags of one home: the upper bits decide where a tag is placed.
constexpr std::uint64_t neighbour(std::uint64_t n) { return (std::uint64_t{1} << 63) + n; }

} // namespace

TEST_CASE("a counter is found under its tag, and no other")
{
    counter_table<counter_state> table;
    CHECK(table.find(7) == nullptr);
    table.insert(7, until(start + seconds(1), 70), start);
    table.insert(8, until(start + seconds(1), 80), start);
    REQUIRE(table.find(7) != nullptr);
    CHECK(table.find(7)->extra == 70);
    CHECK(table.find(8)->extra == 80);
    CHECK(table.find(9) == nullptr);
    CHECK(table.size() == 2);
}

TEST_CASE("tags that share a home are told apart, also behind one that was dropped")
{
    counter_table<counter_state> table;
    for (std::uint64_t n = 0; n < 20; ++n) {
        auto const lives = n % 3 == 0 ? seconds(1) : seconds(100);
        table.insert(neighbour(n), until(start + lives, static_cast<std::int64_t>(n)), start);
    }
    CHECK(table.sweep(1000, start + seconds(2)) == 7);
    for (std::uint64_t n = 0; n < 20; ++n) {
        CAPTURE(n);
        auto const* found = table.find(neighbour(n));
        CHECK((found != nullptr) == (n % 3 != 0));
        if (found) CHECK(found->extra == static_cast<std::int64_t>(n));
    }
}

TEST_CASE("homes at the end of the table continue at its beginning")
{
    counter_table<counter_state> table;
    for (std::uint64_t n = 0; n < 5; ++n) {
        table.insert(UINT64_MAX - n, until(start + (n < 2 ? seconds(1) : seconds(100)), static_cast<std::int64_t>(n)), start);
    }
    CHECK(table.sweep(1000, start + seconds(2)) == 2);
    for (std::uint64_t n = 2; n < 5; ++n) {
        CAPTURE(n);
        REQUIRE(table.find(UINT64_MAX - n) != nullptr);
        CHECK(table.find(UINT64_MAX - n)->extra == static_cast<std::int64_t>(n));
    }
}

TEST_CASE("a counter is dropped only after its last microsecond")
{
    counter_table<counter_state> table;
    table.insert(7, until(start + seconds(1)), start);
    CHECK(table.sweep(1000, start + seconds(1)) == 0);
    CHECK(table.sweep(1000, start + seconds(1) + base::micros{1}) == 1);
    CHECK(table.find(7) == nullptr);
}

TEST_CASE("an insertion drops expired counters")
{
    counter_table<counter_state> table;
    std::uint64_t tag = 0;
    auto const next_tag = [&tag] { return tag += 0x9e3779b97f4a7c15; };
    for (int i = 0; i < 5'000; ++i) table.insert(next_tag(), until(start + seconds(1)), start);
    for (int i = 0; i < 5'000; ++i) table.insert(next_tag(), until(start + seconds(100)), start + seconds(2));
    CHECK(table.size() < 5'500);
    CHECK(table.evictions() == 0);
}

TEST_CASE("asked to shrink, the counter closest to untouched goes, and is counted")
{
    counter_table<counter_state> table;
    for (std::uint64_t n = 0; n < 10; ++n) {
        table.insert(neighbour(n), until(start + seconds(n == 4 ? 10 : 100)), start);
    }
    table.shrink_to(10, neighbour(10), start);
    CHECK(table.evictions() == 0);
    table.shrink_to(9, neighbour(10), start);
    CHECK(table.size() == 9);
    CHECK(table.evictions() == 1);
    CHECK(table.find(neighbour(4)) == nullptr);
}

TEST_CASE("asked to shrink, an expired counter goes without being counted")
{
    counter_table<counter_state> table;
    for (std::uint64_t n = 0; n < 3; ++n) table.insert(neighbour(n), until(start + seconds(n == 1 ? 1 : 100)), start);
    table.shrink_to(2, neighbour(3), start + seconds(2));
    CHECK(table.evictions() == 0);
    CHECK(table.find(neighbour(1)) == nullptr);
}

TEST_CASE("the counter for which a table shrinks stays, closest to untouched or not")
{
    counter_table<counter_state> table;
    for (std::uint64_t n = 0; n < 3; ++n) table.insert(neighbour(n), until(start + seconds(n == 1 ? 1 : 100)), start);
    table.shrink_to(0, neighbour(1), start);
    CHECK(table.size() == 1);
    CHECK(table.find(neighbour(1)) != nullptr);
}

TEST_CASE("permits that are held are dropped last, however many of them stand together")
{
    counter_table<counter_state> table;
    for (std::uint64_t n = 0; n < 50; ++n) table.insert(neighbour(n), {held_until_us, 1}, start);
    table.insert(neighbour(50), until(start + seconds(100)), start);
    table.shrink_to(50, neighbour(51), start);
    CHECK(table.find(neighbour(50)) == nullptr);
    table.shrink_to(49, neighbour(51), start);
    CHECK(table.size() == 49);
}

TEST_CASE("long states weigh what their memory does, and are moved with their words")
{
    counter_table<long_state> table;
    for (std::uint64_t n = 0; n < 40; ++n) {
        auto const words = static_cast<std::size_t>(n % 5) * 100;
        auto const lives = n % 3 == 0 ? seconds(1) : seconds(100);
        table.insert(neighbour(n), {base::since_epoch_us(start + lives), std::vector<std::int64_t>(words, 7)}, start);
    }
    CHECK(table.weight() >= (40 * 40 + 8 * 1000 * 8) / 40);
    CHECK(table.weight() <= (40 * 80 + 8 * 1000 * 8) / 40 + 40);
    CHECK(table.bytes() >= table.weight() * 40 - 40 * 40);
    CHECK(table.sweep(1000, start + seconds(2)) == 14);
    std::size_t weight = 0;
    for (std::uint64_t n = 0; n < 40; ++n) {
        CAPTURE(n);
        auto const* found = table.find(neighbour(n));
        CHECK((found != nullptr) == (n % 3 != 0));
        if (!found) continue;
        CHECK(found->words.size() == n % 5 * 100);
        weight += weight_of(*found);
    }
    CHECK(table.weight() == weight);
}

TEST_CASE("a long state that has grown is weighed anew")
{
    counter_table<long_state> table;
    table.insert(7, {base::since_epoch_us(start + seconds(1)), {1, 2, 3}}, start);
    auto& found = *table.find(7);
    auto const before = weight_of(found);
    found.words.resize(1000);
    table.reweigh(before, found);
    CHECK(table.weight() == weight_of(found));
    CHECK(table.sweep(1000, start + seconds(2)) == 1);
    CHECK(table.weight() == 0);
}

TEST_CASE("a table starts tiny, takes at most 64 bytes a counter when it has some, and shrinks when they are gone")
{
    counter_table<counter_state> table;
    auto const tiny = table.bytes();
    CHECK(tiny <= 256);
    std::mt19937_64 random{1};
    for (std::size_t n = 1; n <= 100'000; ++n) {
        table.insert(random() | 1, until(start + seconds(10)), start);
        if (n >= 100) REQUIRE(table.bytes() <= 64 * n);
    }
    for (int i = 0; i < 1'000 && table.size() > 0; ++i) table.sweep(1'000, start + seconds(11));
    CHECK(table.size() == 0);
    CHECK(table.bytes() == tiny);
}

TEST_CASE("a table does what a map does, whatever is inserted, dropped and looked up")
{
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        CAPTURE(seed);
        std::mt19937_64 random{seed};
        counter_table<counter_state> table;
        std::map<std::uint64_t, counter_state> expected;
        auto now = start;
        for (int i = 0; i < 5'000; ++i) {
            now += base::micros{1};
            // Few different upper bits: long probes.
            auto const tag = (random() % 64) << 58 | (random() % 4096 + 1);
            auto const* found = table.find(tag);
            auto const known = expected.find(tag);
            auto const live = known != expected.end() && known->second.until_us >= base::since_epoch_us(now);
            if (live) REQUIRE(found != nullptr);
            if (found) REQUIRE(*found == known->second);
            if (found) continue;
            auto const state = until(now + base::micros{random() % 2'000}, static_cast<std::int64_t>(random() % 100));
            table.insert(tag, state, now);
            expected.insert_or_assign(tag, state);
        }
        CHECK(table.evictions() == 0);
    }
}

} // namespace penstock::limiter
