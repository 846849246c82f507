#include "limiter/redis/unplaced_permits.hpp"

#include <doctest/doctest.h>

#include <map>

namespace penstock::limiter::redis {
namespace {

permits of(std::string_view key, std::int64_t count)
{
    permits made{{}, 10, count};
    made.key.append(key);
    return made;
}

std::map<std::string, std::int64_t> place_all(unplaced_permits& from)
{
    std::map<std::string, std::int64_t> placed;
    from.place([&](permits const& each) {
        CHECK(each.limit == 10);
        return placed.emplace(each.key.view(), each.count).second;
    });
    return placed;
}

} // namespace

TEST_CASE("permits without a node are handed on once, less those that were given back")
{
    unplaced_permits book;
    book.hold(of("a", 2));
    book.hold(of("a", 1));
    book.hold(of("b", 1));
    book.hold(of("c", 1));
    CHECK(book.give_back(of("a", 1)) == 1);
    CHECK(book.give_back(of("b", 3)) == 1);
    CHECK(book.give_back(of("b", 1)) == 0);
    CHECK(place_all(book) == std::map<std::string, std::int64_t>{{"a", 2}, {"c", 1}});
    CHECK(book.empty());
    CHECK(book.give_back(of("a", 1)) == 0);
}

TEST_CASE("permits whose node is still unknown stay")
{
    unplaced_permits book;
    book.hold(of("a", 1));
    book.hold(of("b", 1));
    book.place([](permits const& each) { return each.key.view() == "a"; });
    CHECK(place_all(book) == std::map<std::string, std::int64_t>{{"b", 1}});
}

TEST_CASE("permits of more keys than there is room for are not kept")
{
    unplaced_permits book;
    for (std::size_t i = 0; i < unplaced_permits::most_keys + 5; ++i) book.hold(of(std::to_string(i), 1));
    CHECK(place_all(book).size() == unplaced_permits::most_keys);
}

} // namespace penstock::limiter::redis
