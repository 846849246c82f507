// A gateway's share of a limit, and where it begins: all gateways together have no more than the limit, and no key goes without.
#include "limiter/outage_share.hpp"
#include "tests/unit/limiter/claims.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

namespace penstock::limiter::tests {
namespace {

calendar const days{calendar_unit::day,
                    "UTC",
                    {since_epoch_us(start) - 2 * 86'400'000'000, since_epoch_us(start) - 86'400'000'000,
                     since_epoch_us(start) + 1000, since_epoch_us(start) + 86'400'000'000}};

std::vector<algorithm> every_algorithm(std::int64_t limit, std::int64_t refill)
{
    return {*make_token_bucket(limit, refill, seconds(30)),
            *make_periodic_bucket(limit, refill, seconds(1)),
            *make_fixed_window(limit, seconds(10)),
            *make_clock_window(limit, seconds(10)),
            *make_calendar_window(limit, days),
            *make_sliding_window(limit, seconds(10), 5),
            *make_sliding_counter(limit, seconds(10)),
            *make_sliding_log(std::min<std::int64_t>(limit, longest_log), seconds(10)),
            *make_concurrency(limit)};
}

// Permits a microsecond; of what has no pace of its own, 0.
long double pace_of(algorithm const& of)
{
    if (auto const* a = std::get_if<token_bucket>(&of))
        return 1.0L / (static_cast<long double>(a->interval_us) +
                       static_cast<long double>(a->interval_num) / static_cast<long double>(a->interval_den));
    if (auto const* a = std::get_if<periodic_bucket>(&of))
        return static_cast<long double>(a->refill) / static_cast<long double>(a->period_us);
    return 0;
}

std::int64_t left_of(algorithm const& of, any_state const& state, base::instant now)
{
    if (keeps_long_state(of)) return advance_long(of, std::get_if<long_state>(&state), 0, now).idle.remaining;
    return advance(of, std::get_if<counter_state>(&state), 0, now).idle.remaining;
}

} // namespace

TEST_CASE("the shares of all gateways add up to the limit, for every algorithm, number and key")
{
    auto const seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    auto const draw = [&random](std::int64_t from, std::int64_t to) {
        return std::uniform_int_distribution<std::int64_t>(from, to)(random);
    };
    for (int round = 0; round < 2'000; ++round) {
        auto const gateways = static_cast<std::uint32_t>(draw(1, round % 2 == 0 ? 5 : 150));
        auto const limit = draw(1, round % 3 == 0 ? 20 : 1'000'000);
        auto const refill = draw(1, limit);
        auto const key = "rl:{" + std::to_string(round) + "}:k:tb";
        CAPTURE(gateways);
        CAPTURE(limit);
        CAPTURE(refill);
        for (auto const& whole : every_algorithm(limit, refill)) {
            CAPTURE(whole.index());
            std::int64_t permits = 0;
            long double pace = 0;
            for (std::uint32_t place = 0; place < gateways; ++place) {
                auto const share = outage_share(whole, key, {.gateways = gateways, .place = place});
                if (!share) continue;
                permits += burst_of(*share);
                pace += pace_of(*share);
            }
            CHECK(permits > 0);
            CHECK(permits <= burst_of(whole));
            CHECK(pace <= pace_of(whole) * (1 + 1e-15L));
            // Only a refill that does not go round leaves part of a bucket to nobody.
            if (!std::holds_alternative<periodic_bucket>(whole)) CHECK(permits == burst_of(whole));
        }
    }
}

TEST_CASE("a bucket whose share has no exact pace refills no faster than its part, and hardly slower")
{
    // A prime of permits in a prime of time: the denominator of a third does not fit.
    auto const whole = make_token_bucket(94'906'249, 94'906'249, base::micros{99'999'989});
    REQUIRE(whole);
    long double pace = 0;
    for (std::uint32_t place = 0; place < 3; ++place) {
        auto const share = outage_share(*whole, "k", {.gateways = 3, .place = place});
        REQUIRE(share);
        pace += pace_of(*share);
    }
    CHECK(pace <= pace_of(*whole));
    CHECK(pace > pace_of(*whole) * 0.999L);
}

TEST_CASE("of a limit smaller than the fleet so many gateways have one permit, others for another key")
{
    algorithm const whole = *make_fixed_window(2, seconds(10));
    std::vector<int> had(7);
    for (int key = 0; key < 200; ++key) {
        int permits = 0;
        for (std::uint32_t place = 0; place < 7; ++place) {
            auto const share = outage_share(whole, "rl:{" + std::to_string(key) + "}", {.gateways = 7, .place = place});
            if (!share) continue;
            CHECK(burst_of(*share) == 1);
            ++permits;
            ++had[place];
        }
        CHECK(permits == 2);
    }
    for (auto const each : had) CHECK(each > 20);
}

TEST_CASE("an unknown counter begins half full, rounded up, for every algorithm")
{
    for (auto const& share : every_algorithm(11, 11)) {
        if (std::holds_alternative<concurrency>(share)) continue;
        CAPTURE(share.index());
        CHECK(left_of(share, outage_entry(share, 33, std::nullopt, start), start) == 6);
    }
    algorithm const one = *make_fixed_window(1, seconds(10));
    CHECK(left_of(one, outage_entry(one, 3, std::nullopt, start), start) == 1);
}

TEST_CASE("a known counter begins with its part of what was left, and never with more than half")
{
    for (auto const& share : every_algorithm(12, 12)) {
        if (std::holds_alternative<concurrency>(share)) continue;
        CAPTURE(share.index());
        auto const begins_with = [&](std::int64_t remaining) {
            last_answer const known{.remaining = remaining, .at = start, .reset_after = seconds(5)};
            return left_of(share, outage_entry(share, 36, known, start), start);
        };
        CHECK(begins_with(0) == 0);
        CHECK(begins_with(2) == 0);
        CHECK(begins_with(9) == 3);
        CHECK(begins_with(17) == 5);
        CHECK(begins_with(36) == 6);
        CHECK(begins_with(1'000) == 6);
    }
}

TEST_CASE("what was heard a while ago has refilled since at the pace of the share, and a window ends when the store's does")
{
    algorithm const bucket = *make_token_bucket(12, 12, seconds(12));
    last_answer const empty{.remaining = 0, .at = start, .reset_after = seconds(12)};
    CHECK(left_of(bucket, outage_entry(bucket, 36, empty, start + seconds(3)), start + seconds(3)) == 3);
    CHECK(left_of(bucket, outage_entry(bucket, 36, empty, start + seconds(60)), start + seconds(60)) == 6);

    algorithm const window = *make_fixed_window(12, seconds(10));
    last_answer const used{.remaining = 0, .at = start, .reset_after = seconds(4)};
    auto const state = outage_entry(window, 36, used, start + seconds(1));
    CHECK(left_of(window, state, start + seconds(4) - base::micros{1}) == 0);
    CHECK(left_of(window, state, start + seconds(4)) == 12);
}

TEST_CASE("the entries of all gateways add up to what was left")
{
    std::mt19937 random(7);
    for (int round = 0; round < 1'000; ++round) {
        auto const gateways = static_cast<std::uint32_t>(1 + random() % 9);
        auto const limit = static_cast<std::int64_t>(1 + random() % 500);
        auto const remaining = static_cast<std::int64_t>(random() % (limit + 1));
        for (auto const& whole : every_algorithm(limit, limit)) {
            if (std::holds_alternative<concurrency>(whole)) continue;
            std::int64_t left = 0;
            for (std::uint32_t place = 0; place < gateways; ++place) {
                auto const share = outage_share(whole, "k", {.gateways = gateways, .place = place});
                if (!share) continue;
                last_answer const known{.remaining = remaining, .at = start, .reset_after = seconds(1)};
                left += left_of(*share, outage_entry(*share, limit, known, start), start);
            }
            CHECK(left <= remaining);
        }
    }
}

} // namespace penstock::limiter::tests
