#include "limiter/redis/permit_book.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>
#include <set>

namespace penstock::limiter::redis {
namespace {

using namespace std::chrono_literals;

constexpr auto start = base::at_epoch_us(1'000'000'000);

permits of(std::string_view key, std::int64_t count)
{
    permits made{{}, 10, count};
    made.key.append(key);
    return made;
}

struct fixture {
    permit_book book;
    fixture() { book.begin(1, start); }

    void check_next(base::instant now, std::string_view key, std::int64_t given_back, holding as)
    {
        auto const told = book.next(now);
        REQUIRE(told.has_value());
        CHECK(told->what.key.view() == key);
        CHECK(told->what.limit == 10);
        CHECK(told->what.count == given_back);
        CHECK(told->holder.holder == as.holder);
        CHECK(told->holder.held == as.held);
    }
    void check_quiet(base::instant now) { CHECK_FALSE(book.next(now).has_value()); }
};

} // namespace

TEST_CASE_FIXTURE(fixture, "it is empty when nothing is held and nothing left to tell")
{
    CHECK(book.empty());
    book.take(of("a", 1), start);
    CHECK(book.holds("a"));
    CHECK_FALSE(book.holds("b"));
    book.give_back(of("a", 1));
    CHECK_FALSE(book.holds("a"));
    CHECK_FALSE(book.empty());
    check_next(start, "a", 1, {1, 0});
    CHECK(book.empty());
    // What the former holder may still be counted for is to be told, too.
    book.take(of("a", 1), start);
    book.begin(2, start);
    book.give_back(of("a", 1));
    check_next(start, "a", 1, {2, 0});
    CHECK_FALSE(book.empty());
}

TEST_CASE_FIXTURE(fixture, "what is held is renewed three times in a lapse, and what is not, not")
{
    CHECK_FALSE(book.next_due().has_value());
    book.take(of("a", 2), start);
    book.take(of("b", 1), start + 1s);
    CHECK(book.holding_of("a").held == 2);
    CHECK(book.next_due() == start + 1500ms);
    check_quiet(start + 1500ms - 1us);
    check_next(start + 1500ms, "a", 0, {1, 2});
    check_quiet(start + 1500ms);
    check_next(start + 3s, "b", 0, {1, 1});
    check_next(start + 3s, "a", 0, {1, 2});
    check_quiet(start + 3s);
    book.give_back(of("a", 2));
    check_next(start + 3s, "a", 2, {1, 0});
    check_next(start + 4500ms, "b", 0, {1, 1});
    check_quiet(start + 4500ms);
    book.give_back(of("b", 1));
    check_next(start + 4500ms, "b", 1, {1, 0});
    CHECK_FALSE(book.next_due().has_value());
    CHECK(3 * permit_book::renewal_interval < 5s);
}

TEST_CASE_FIXTURE(fixture, "permits that end together go back in one call, and leave the renewal of the others where it was")
{
    book.take(of("a", 5), start);
    book.give_back(of("a", 1));
    book.give_back(of("a", 2));
    CHECK(book.holding_of("a").held == 5); // Redis still counts them
    check_next(start, "a", 3, {1, 0});
    CHECK(book.holding_of("a").held == 2);
    check_quiet(start);
    check_next(start + 1500ms, "a", 0, {1, 2});
}

TEST_CASE_FIXTURE(fixture, "what was granted to nobody is given back at once")
{
    book.owe(of("a", 4), start);
    CHECK(book.holding_of("a").held == 4);
    check_next(start, "a", 4, {1, 0});
    CHECK(book.holding_of("a").held == 0);
    CHECK_FALSE(book.next_due().has_value());
}

TEST_CASE_FIXTURE(fixture, "what Redis did not take back is told again with the next renewal")
{
    book.take(of("a", 2), start);
    book.give_back(of("a", 2));
    for (auto now = start; now < start + 4s; now += 1500ms) {
        auto const told = book.next(now);
        REQUIRE(told.has_value());
        CHECK(told->what.count == 2);
        check_quiet(now);
        book.failed(*told, now);
        check_quiet(now);
    }
    // Meanwhile others come and go.
    book.take(of("a", 1), start + 4500ms);
    CHECK(book.holding_of("a").held == 3);
    check_next(start + 4500ms, "a", 2, {1, 0});
    check_next(start + 4500ms, "a", 0, {1, 1});
}

TEST_CASE_FIXTURE(fixture, "a renewal that failed is not repeated before its time")
{
    book.take(of("a", 2), start);
    auto const told = book.next(start + 2s);
    REQUIRE(told.has_value());
    book.failed(*told, start + 2s);
    check_quiet(start + 3s);
    check_next(start + 3500ms, "a", 0, {1, 2});
}

TEST_CASE_FIXTURE(fixture, "a new connection announces what lives under its own number, then clears the old number")
{
    book.take(of("a", 3), start);
    book.take(of("b", 1), start);
    book.take(of("c", 1), start);
    book.give_back(of("a", 1)); // not told before the connection went
    book.give_back(of("b", 1));
    auto const lost = book.next(start); // told, but not answered
    REQUIRE(lost.has_value());
    book.failed(*lost, start);
    book.owe(of("d", 2), start); // in doubt
    book.begin(2, start + 1s);
    CHECK(book.next_due() <= start + 1s);
    std::map<std::string, std::int64_t> announced;
    std::set<std::string> cleared;
    while (auto const told = book.next(start + 1s)) {
        if (told->what.count == 0) {
            CHECK(told->holder.holder == 2);
            CHECK(cleared.empty());
            announced[std::string(told->what.key.view())] = told->holder.held;
        } else {
            CHECK(told->holder.holder == 1);
            CHECK(told->what.count > 1'000'000'000'000);
            cleared.emplace(told->what.key.view());
        }
    }
    CHECK(announced == std::map<std::string, std::int64_t>{{"a", 2}, {"c", 1}});
    CHECK(cleared == std::set<std::string>{"a", "b", "c", "d"});
    CHECK(book.next_due() == start + 2500ms);
    CHECK(book.holding_of("a").holder == 2);
}

TEST_CASE_FIXTURE(fixture, "what fails of a former connection is nobody's any more")
{
    book.take(of("a", 2), start);
    book.give_back(of("a", 1));
    auto const old = book.next(start);
    REQUIRE(old.has_value());
    book.begin(2, start);
    check_next(start, "a", 0, {2, 1});
    auto const clearing = book.next(start);
    book.failed(*old, start);
    book.failed(*clearing, start);
    CHECK(book.holding_of("a").held == 1);
    check_quiet(start);
}

TEST_CASE_FIXTURE(fixture, "what was granted without a connection is announced by the next, under its number alone")
{
    book.end();
    book.hold(of("a", 1), start);
    book.hold(of("a", 1), start);
    book.hold(of("b", 1), start);
    book.give_back(of("b", 1)); // is over before Redis ever hears of it
    book.give_back(of("a", 1));
    book.begin(2, start);
    check_next(start, "a", 0, {2, 1});
    check_quiet(start);
    book.give_back(of("a", 1));
    check_next(start, "a", 1, {2, 0});
    check_quiet(start + 9s);
}

TEST_CASE_FIXTURE(fixture, "what was granted without Redis on a connection that stays is announced with the next renewal")
{
    book.begin(1, start);
    book.hold(of("a", 1), start);
    check_quiet(start);
    check_next(start + permit_book::renewal_interval, "a", 0, {1, 1});
    book.give_back(of("a", 1));
    check_next(start + permit_book::renewal_interval, "a", 1, {1, 0});
    check_quiet(start + 9s);
}

TEST_CASE_FIXTURE(fixture, "what Redis does not take back until it has lapsed there is owed no longer")
{
    book.take(of("a", 2), start);
    book.give_back(of("a", 2));
    int told = 0;
    for (auto now = start; now < start + 60s; now += 500ms) {
        while (auto const notice = book.next(now)) {
            ++told;
            book.failed(*notice, now);
        }
    }
    CHECK(told == 5);
    CHECK(book.empty());
}

TEST_CASE_FIXTURE(fixture, "what Redis does not take back is owed for as long as others of the key are held")
{
    book.take(of("a", 2), start);
    book.give_back(of("a", 1));
    for (auto now = start; now < start + 9s; now += 1500ms) {
        auto const told = book.next(now);
        REQUIRE(told.has_value());
        CHECK(told->what.count == 1);
        if (now > start) check_next(now, "a", 0, {1, 1}); // its renewal
        book.failed(*told, now);
        check_quiet(now + 1us);
    }
}

TEST_CASE_FIXTURE(fixture, "while Redis may not be asked, what is granted in its place and ends leaves nothing behind")
{
    book.end();
    for (int i = 0; i < 1'000; ++i) {
        auto const each = of(std::to_string(i), 1);
        book.hold(each, start);
        book.give_back(each);
    }
    CHECK(book.empty());
    check_quiet(start + 9s);
}

TEST_CASE_FIXTURE(fixture, "what Redis grants late joins what was granted in its place, and is cleared with the old number")
{
    book.end();
    book.hold(of("a", 1), start);
    book.take(of("a", 1), start);
    book.begin(2, start);
    check_next(start, "a", 0, {2, 2});
    auto const cleared = book.next(start);
    REQUIRE(cleared.has_value());
    CHECK(cleared->holder.holder == 1);
    check_quiet(start);
}

TEST_CASE_FIXTURE(fixture, "giving back what is not held changes nothing")
{
    book.give_back(of("a", 1));
    check_quiet(start);
    book.take(of("a", 1), start);
    book.give_back(of("a", 3));
    check_next(start, "a", 1, {1, 0});
    check_quiet(start + 9s);
}

} // namespace penstock::limiter::redis
