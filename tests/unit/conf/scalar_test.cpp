// The written forms of numbers: what reads as what, and what is refused rather than rounded.
#include "conf/scalar.hpp"

#include <doctest/doctest.h>

using namespace penstock;
using namespace penstock::conf;

TEST_CASE("durations")
{
    struct row {
        char const* text;
        std::int64_t us; // -1: refused
    };
    for (auto const& [text, us] : {row{"250ms", 250'000},
                                   {"10s", 10'000'000},
                                   {"5m", 300'000'000},
                                   {"1h", 3'600'000'000},
                                   {"1d", 86'400'000'000},
                                   {"0s", 0},
                                   {"10", -1},
                                   {"s", -1},
                                   {"", -1},
                                   {"1.5s", -1},
                                   {"-1s", -1},
                                   {"1 s", -1},
                                   {"1S", -1},
                                   {"01s", -1},
                                   {"1h30m", -1},
                                   {"999999999999999d", -1}}) {
        CAPTURE(text);
        auto const read = parse_duration(text);
        CHECK((read ? read->count() : -1) == us);
    }
}

TEST_CASE("sizes")
{
    CHECK(parse_size("512B") == 512);
    CHECK(parse_size("64KiB") == 65536);
    CHECK(parse_size("1MiB") == 1048576);
    CHECK(parse_size("5GiB") == 5368709120);
    for (auto const* text : {"64", "64KB", "64k", "KiB", "", "-1B", "999999999999999GiB"}) {
        CAPTURE(text);
        CHECK(!parse_size(text));
    }
}

TEST_CASE("rates")
{
    struct row {
        char const* text;
        std::int64_t permits;
        std::int64_t period_us;
    };
    for (auto const& [text, permits, period] : {row{"50/30s", 50, 30'000'000},
                                                {"100/minute", 100, 60'000'000},
                                                {"1/second", 1, 1'000'000},
                                                {"7/hour", 7, 3'600'000'000},
                                                {"9/day", 9, 86'400'000'000},
                                                {"1/s", 1, 1'000'000},
                                                {"100/m", 100, 60'000'000},
                                                {"5/h", 5, 3'600'000'000},
                                                {"1/d", 1, 86'400'000'000}}) {
        CAPTURE(text);
        auto const read = parse_rate(text);
        REQUIRE(read);
        CHECK(read->permits == permits);
        CHECK(read->period.count() == period);
    }
    for (auto const* text :
         {"50", "50/", "/30s", "0/30s", "50/0s", "50/ms", "5.5/s", "50/30", "50/30s/1", "50/S", "50/min", "50/ s"}) {
        CAPTURE(text);
        CHECK(!parse_rate(text));
    }
}

TEST_CASE("percentages, booleans and whole numbers")
{
    CHECK(parse_percentage("10%") == 10);
    CHECK(!parse_percentage("10"));
    CHECK(!parse_percentage("%"));
    CHECK(parse_boolean("on") == true);
    CHECK(parse_boolean("false") == false);
    CHECK(!parse_boolean("yes"));
    CHECK(parse_integer("999999999999999") == 999'999'999'999'999); // RL-10
    CHECK(!parse_integer("1000000000000000"));
    CHECK(!parse_integer("010"));
    CHECK(!parse_integer("+1"));
}

TEST_CASE("what is written reads back")
{
    for (auto const* text : {"250ms", "90s", "5m", "25h", "2d"}) CHECK(write_duration(*parse_duration(text)) == text);
    for (auto const* text : {"100B", "3KiB", "1MiB", "2GiB"}) CHECK(write_size(*parse_size(text)) == text);
}
