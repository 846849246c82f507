#include "gateway/limit_fields.hpp"

#include "tests/unit/gateway/rulings.hpp"

#include <doctest/doctest.h>

#include <random>
#include <set>
#include <string>
#include <vector>

using namespace penstock;
using namespace penstock::gateway;
using conf::field_style;

namespace {

constexpr std::int64_t now_s = 1'700'000'000;

std::string written(rulings const& said, conf::response_settings const& settings = {})
{
    std::string out;
    append_limit_fields(out, report_limits(said.gate, 0, 0.0), settings, now_s);
    return out;
}

conf::response_settings styled(std::vector<field_style> styles)
{
    conf::response_settings settings;
    settings.rate_limit_fields = std::move(styles);
    return settings;
}

} // namespace

TEST_CASE("RL-1, RL-2, RL-12, RL-50, RL-54, RL-56: golden fields of an allowed request, mode by mode")
{
    rulings said;
    said.allowed(said.limit("default", bucket(100, seconds(0.6))), 99, seconds(0.6));
    std::string const draft = "RateLimit-Policy: \"default\";q=100;w=60\r\nRateLimit: \"default\";r=99;t=60\r\n";
    std::string const triple = "RateLimit-Limit: 100\r\nRateLimit-Remaining: 99\r\nRateLimit-Reset: 60\r\n";
    std::string const x_delta = "X-RateLimit-Limit: 100\r\nX-RateLimit-Remaining: 99\r\nX-RateLimit-Reset: 60\r\n";
    std::string const x_epoch = "X-RateLimit-Limit: 100\r\nX-RateLimit-Remaining: 99\r\nX-RateLimit-Reset: 1700000060\r\n";

    CHECK(written(said) == draft);
    CHECK(written(said, styled({field_style::triple})) == triple);
    CHECK(written(said, styled({field_style::x_ratelimit})) == x_epoch);
    auto settings = styled({field_style::draft, field_style::triple, field_style::x_ratelimit});
    settings.reset = conf::reset_style::delta;
    CHECK(written(said, settings) == draft + triple + x_delta);
    CHECK(written(said, styled({})).empty());
}

TEST_CASE("RL-23, RL-52, RL-56: on a refusal every field tells the same wait, rounded up")
{
    rulings said;
    said.refused(said.limit("default", bucket(100, seconds(0.6))), seconds(12.000001));
    auto settings = styled({field_style::draft, field_style::triple, field_style::x_ratelimit});
    CHECK(written(said, settings) == "Retry-After: 13\r\n"
                                     "RateLimit-Policy: \"default\";q=100;w=60\r\nRateLimit: \"default\";r=0;t=13\r\n"
                                     "RateLimit-Limit: 100\r\nRateLimit-Remaining: 0\r\nRateLimit-Reset: 13\r\n"
                                     "X-RateLimit-Limit: 100\r\nX-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: 1700000013\r\n");
    CHECK(written(said, styled({})) == "Retry-After: 13\r\n"); // a client is told to wait even with the fields off
}

TEST_CASE("RL-3, RL-14, RL-15, RL-16: the numbers of one member")
{
    struct row {
        std::string_view name;
        limiter::algorithm how;
        std::int64_t remaining;
        base::micros reset_after;
        std::int64_t quota;
        std::int64_t window;
        std::int64_t wait;
    };
    for (auto const& r : {
             row{"window of a minute, 17.2 s after its start", window(10, seconds(60)), 3, seconds(42.8), 10, 60, 43},
             row{"window below a second", window(5, seconds(0.5)), 4, seconds(0.2), 5, 1, 1},
             row{"full bucket does not invite its whole burst at once", bucket(10'000, seconds(0.1)), 10'000, seconds(0),
                 10'000, 1000, 1000},
             row{"half a bucket", bucket(100, seconds(0.6)), 50, seconds(30), 100, 60, 30},
             row{"last permit of a slow bucket", bucket(2, seconds(10)), 1, seconds(10), 2, 20, 10},
             row{"nothing left: until the next permit", bucket(2, seconds(10)), 0, seconds(13.5), 2, 20, 4},
             row{"a permit that is due next", bucket(10, seconds(10)), 9, seconds(0.4), 10, 100, 90},
         }) {
        CAPTURE(r.name);
        rulings said;
        said.allowed(said.limit("x", r.how), r.remaining, r.reset_after);
        auto const report = report_limits(said.gate, 0, 0.0);
        REQUIRE(report.members.size() == 1);
        CHECK(report.members[0].quota == r.quota);
        CHECK(report.members[0].window == r.window);
        CHECK(report.members[0].remaining == r.remaining);
        CHECK(report.members[0].wait == r.wait);
        CHECK(!report.retry_after);
    }
}

TEST_CASE("RL-10: no integer has more than 15 digits")
{
    limit_report report;
    limiter::policy limit;
    limit.name = "x";
    report.members.push_back(
        {.policy = &limit, .quota = 2'000'000'000'000'000, .window = 1, .remaining = 1'000'000'000'000'000, .wait = 1});
    std::string out;
    append_limit_fields(out, report, {}, now_s);
    CHECK(out == "RateLimit-Policy: \"x\";q=999999999999999;w=1\r\nRateLimit: \"x\";r=999999999999999;t=1\r\n");
}

TEST_CASE("RL-10, RL-16, RL-21: quotas of 15 digits are compared and scaled without overflow")
{
    constexpr std::int64_t largest = 999'999'999'999'999;
    rulings said;
    said.allowed(said.limit("looser", bucket(largest, base::micros{2})), largest, seconds(0));
    said.allowed(said.limit("tighter", bucket(largest, base::micros{2})), largest / 10, seconds(1'800'000'000));
    auto const report = report_limits(said.gate, 0, 0.0);
    REQUIRE(report.members.size() == 2);
    CHECK(report.members[0].policy->name == "tighter");
    CHECK(report.members[0].wait == 200'000'000);
    CHECK(report.members[1].wait == 2'000'000'000);
}

TEST_CASE("RL-13: what is left is never negative")
{
    rulings said;
    said.allowed(said.limit("x", window(10, seconds(60))), -3, seconds(1));
    CHECK(report_limits(said.gate, 0, 0.0).members[0].remaining == 0);
}

TEST_CASE("RL-11, RL-21, RL-22, RL-51: the tightest limit comes first and is shown alone unless all are asked for")
{
    rulings said;
    said.allowed(said.limit("hourly", window(1000, seconds(3600))), 900, seconds(60));
    said.allowed(said.limit("daily", window(5000, seconds(86'400))), 100, seconds(600));
    CHECK(written(said) == "RateLimit-Policy: \"daily\";q=5000;w=86400\r\nRateLimit: \"daily\";r=100;t=600\r\n");
    conf::response_settings all;
    all.members = conf::member_list::all;
    CHECK(written(said, all) == "RateLimit-Policy: \"daily\";q=5000;w=86400, \"hourly\";q=1000;w=3600\r\n"
                                "RateLimit: \"daily\";r=100;t=600, \"hourly\";r=900;t=60\r\n");
    CHECK(written(said, styled({field_style::triple})) ==
          "RateLimit-Limit: 5000\r\nRateLimit-Remaining: 100\r\nRateLimit-Reset: 600\r\n");
}

TEST_CASE("RL-21, RL-23: what refused comes before what is merely low, and the longest wait is told")
{
    rulings said;
    said.allowed(said.limit("low", window(1000, seconds(60))), 0, seconds(60));
    said.refused(said.limit("short", bucket(10, seconds(1))), seconds(0.5));
    said.refused(said.limit("long", bucket(10, seconds(10))), seconds(7.5));
    auto const report = report_limits(said.gate, 0, 0.0);
    CHECK(report.members[0].violated);
    CHECK(report.members[1].violated);
    CHECK(report.members[2].policy->name == "low");
    CHECK(report.retry_after == 8);
}

TEST_CASE("RL-18: the policy field does not depend on what is left")
{
    std::set<std::string> seen;
    for (std::int64_t remaining = 0; remaining <= 50; ++remaining) {
        rulings said;
        said.allowed(said.limit("default", bucket(50, seconds(1))), remaining, seconds(static_cast<double>(50 - remaining)));
        auto const fields = written(said);
        seen.insert(fields.substr(0, fields.find("\r\n")));
    }
    CHECK(seen == std::set<std::string>{"RateLimit-Policy: \"default\";q=50;w=50"});
}

TEST_CASE("RL-24, RL-75: hidden limits, shadows and counts that nobody knows are not shown")
{
    rulings said;
    auto& hidden = said.limit("hidden", window(10, seconds(60)));
    hidden.advertise = limiter::advertisement::hidden;
    auto& shadow = said.limit("shadow", window(10, seconds(60)));
    shadow.enforce = limiter::enforcement::shadow;
    said.allowed(hidden, 1, seconds(1)).allowed(shadow, 1, seconds(1));
    said.unanswered(said.limit("unanswered", window(10, seconds(60))), limiter::outcome::unanswered_allowed);
    CHECK(report_limits(said.gate, 0, 0.0).empty());
    CHECK(written(said).empty());

    rulings refusal;
    auto& shed = refusal.limit("shed", window(10, seconds(60)));
    shed.advertise = limiter::advertisement::hidden;
    refusal.refused(shed, seconds(5));
    CHECK(written(refusal) == "Retry-After: 5\r\n");
}

TEST_CASE("RL-76: no wait is promised where none would help")
{
    rulings said;
    said.refused(said.limit("default", bucket(10, seconds(1))), limiter::never);
    auto const report = report_limits(said.gate, 10, 0.9);
    CHECK(!report.retry_after);
    CHECK(report.members[0].wait < 1'000'000'000);
    CHECK(written(said).find("Retry-After") == std::string::npos);
}

TEST_CASE("RL-23, RL-26: jitter only lengthens, by the percentage at most, and spreads")
{
    auto const seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937 random(seed);
    std::uniform_real_distribution<double> dice(0.0, 1.0);
    std::set<std::int64_t> seen;
    for (int i = 0; i < 1000; ++i) {
        rulings said;
        said.refused(said.limit("a", bucket(10, seconds(10))), seconds(99.5));
        said.refused(said.limit("b", bucket(10, seconds(1))), seconds(3));
        auto const report = report_limits(said.gate, 10, dice(random));
        REQUIRE(report.retry_after);
        CHECK(*report.retry_after >= 100);
        CHECK(*report.retry_after <= 110);
        for (auto const& member : report.members) CHECK(member.wait <= *report.retry_after);
        CHECK(report.members[0].wait >= 3);
        seen.insert(*report.retry_after);
    }
    CHECK(seen.size() > 5);
}

TEST_CASE("RL-27, RL-28, RL-30: list fields of an upstream are passed on if they are well-formed and not named like ours")
{
    struct row {
        std::string_view name;
        std::string_view value;
        upstream_fields verdict;
    };
    limit_report report;
    limiter::policy limit;
    limit.name = "gw";
    report.members.emplace_back().policy = &limit;
    using enum upstream_fields;
    for (auto const& r : {
             row{"another name", "\"app\";r=3;t=9", copy},
             row{"two others", "\"app\";r=3;t=9, \"more\";r=1", copy},
             row{"blanks where they are allowed", "\"app\"; r=3 ,\t\"more\";r=1", copy},
             row{"partition key", "\"app\";r=3;pk=:QXBw:", copy},
             row{"no t, something of a vendor's", "\"app\";r=0;acme-alg=\"gcra\";acme-x", copy},
             row{"key in upper case", "\"app\";R=3", drop},
             row{"date without digits", "\"app\";r=@", drop},
             row{"fraction without digits", "\"app\";r=1.", drop},
             row{"fraction", "\"app\";r=1.5", drop},
             row{"less than nothing", "\"app\";r=-1", drop},
             row{"no r", "\"app\";t=3", drop},
             row{"r without a value", "\"app\";r", drop},
             row{"t that is no number", "\"app\";r=3;t=soon", drop},
             row{"t below zero", "\"app\";r=3;t=-1", drop},
             row{"partition key that is no byte sequence", "\"app\";r=3;pk=\"QXBw\"", drop},
             row{"one member of another shape", "\"app\";r=3, \"more\";r=x", drop},
             row{"unknown parameter with a comma in a string", "\"app\";r=3;x=\"a,b\"", copy},
             row{"escapes in the name", "\"a\\\"b\\\\c\";r=3", copy},
             row{"our name", "\"gw\";r=3", drop},
             row{"our name among others", "\"app\";r=3, \"gw\";r=9", drop},
             row{"nothing", "", drop},
             row{"no string", "garbage;;r=", drop},
             row{"token", "app;r=3", drop},
             row{"older generation", "limit=100, remaining=50", drop},
             row{"integer", "100;w=60", drop},
             row{"unterminated name", "\"app;r=3", drop},
             row{"escape at the end", "\"app\\", drop},
             row{"text behind the name", "\"app\"x", drop},
             row{"empty parameter", "\"app\";;r=3", drop},
             row{"parameter without a value", "\"app\";r=", drop},
             row{"no value before the next", "\"app\";r=;t=3", drop},
             row{"semicolon at the end", "\"app\";r=3;", drop},
             row{"empty member", "\"app\";r=3,,\"more\";r=1", drop},
             row{"comma at the end", "\"app\";r=3,", drop},
             row{"comma and blanks at the end", "\"app\";r=3, ", drop},
             row{"comma in front", ",\"app\";r=3", drop},
             row{"unterminated string in a parameter", "\"app\";r=3;x=\"a", drop},
             row{"byte above ASCII in the name", "\"\xc3\xa9\";r=3", drop},
         }) {
        CAPTURE(r.name);
        CHECK(judge_list_field(list_field::limits, r.value, report) == r.verdict);
    }
}

TEST_CASE("RL-2, RL-3, RL-5, RL-30: a policy of an upstream is passed on if it has the shape of one")
{
    struct row {
        std::string_view name;
        std::string_view value;
        upstream_fields verdict;
    };
    using enum upstream_fields;
    for (auto const& r : {
             row{"whole", "\"app\";q=100;w=60;qu=\"requests\";pk=:QXBw:", copy},
             row{"quota of nothing", "\"app\";q=0", copy},
             row{"no q", "\"app\";w=60", drop},
             row{"q below zero", "\"app\";q=-1;w=60", drop},
             row{"window of nothing", "\"app\";q=1;w=0", drop},
             row{"window of half a second", "\"app\";q=1;w=0.5", drop},
             row{"unit that is a token", "\"app\";q=1;qu=requests", drop},
             row{"older generation", "100;w=60", drop},
         }) {
        CAPTURE(r.name);
        CHECK(judge_list_field(list_field::policies, r.value, {}) == r.verdict);
    }
}

TEST_CASE("RL-4: a limit on concurrency has a unit, and neither a window nor a time")
{
    rulings said;
    auto& held = said.limit("held", limiter::concurrency{.limit = 5});
    auto& rate = said.limit("rate", window(100, seconds(60)));
    said.allowed(held, 2, seconds(0)).allowed(rate, 60, seconds(30));
    CHECK(written(said) == "RateLimit-Policy: \"held\";q=5;qu=\"concurrent-requests\"\r\nRateLimit: \"held\";r=2\r\n");
    auto both = styled({field_style::draft, field_style::triple});
    both.members = conf::member_list::all;
    CHECK(written(said, both) == "RateLimit-Policy: \"held\";q=5;qu=\"concurrent-requests\", \"rate\";q=100;w=60\r\n"
                                 "RateLimit: \"held\";r=2, \"rate\";r=60;t=30\r\n"
                                 "RateLimit-Limit: 100\r\nRateLimit-Remaining: 60\r\nRateLimit-Reset: 30\r\n");

    rulings refusal; // of which nobody knows the end
    refusal.refused(refusal.limit("held", limiter::concurrency{.limit = 5}), seconds(1));
    CHECK(written(refusal, styled({field_style::draft, field_style::triple, field_style::x_ratelimit})) ==
          "Retry-After: 1\r\n"
          "RateLimit-Policy: \"held\";q=5;qu=\"concurrent-requests\"\r\nRateLimit: \"held\";r=0\r\n");
}

TEST_CASE("RL-15, RL-16: t is the end of what starts over, and elsewhere never before all is back nor below the quota's pace")
{
    limiter::calendar const days{.unit = limiter::calendar_unit::day, .time_zone = "UTC", .starts = {}};
    struct row {
        std::string_view name;
        limiter::algorithm how;
        std::int64_t remaining;
        base::micros reset_after;
        std::int64_t window;
        std::int64_t wait;
    };
    for (auto const& r : {
             row{"window of the clock, 4.2 s to its end", limiter::clock_window{10, 10'000'000}, 9, seconds(4.2), 10, 5},
             row{"window that nobody has begun", window(10, seconds(60)), 10, seconds(0), 60, 60},
             row{"day with an hour left", limiter::calendar_window{10, &days}, 3, seconds(3600), 86'400, 3600},
             row{"sliding window, charged now", limiter::sliding_window{30, 10'000'000, 3}, 29, seconds(25.5), 30, 29},
             row{"sliding window, the last charge about to leave", limiter::sliding_window{30, 10'000'000, 3}, 29, seconds(0.5),
                 30, 29},
             row{"sliding window, used up", limiter::sliding_window{30, 10'000'000, 3}, 0, seconds(25.5), 30, 26},
             row{"sliding counter", limiter::sliding_counter{10, 10'000'000, 1'000}, 5, seconds(13.5), 10, 14},
             row{"sliding log", limiter::sliding_log{10, 60'000'000}, 9, seconds(60), 60, 60},
             row{"sliding log, one charge of long ago", limiter::sliding_log{10, 60'000'000}, 9, seconds(0.1), 60, 54},
             row{"periodic bucket, two periods from full", limiter::periodic_bucket{10, 4, 5'000'000}, 4, seconds(7.5), 15, 6},
             row{"periodic bucket, empty", limiter::periodic_bucket{10, 4, 5'000'000}, 0, seconds(12.5), 15, 3},
             row{"periodic bucket, full", limiter::periodic_bucket{10, 4, 5'000'000}, 10, seconds(0), 15, 15},
         }) {
        CAPTURE(r.name);
        rulings said;
        said.allowed(said.limit("x", r.how), r.remaining, r.reset_after);
        auto const report = report_limits(said.gate, 0, 0.0);
        REQUIRE(report.members.size() == 1);
        CHECK(report.members[0].window == r.window);
        CHECK(report.members[0].wait == r.wait);
    }
}

TEST_CASE("RL-15, RL-18: a sharded limit tells of the whole, whichever shard was asked")
{
    rulings said;
    auto& limit = said.limit("x", window(10, seconds(60)));
    for (auto const permits : {4, 3, 3}) limit.quota.shards.emplace_back(window(permits, seconds(60)));
    said.allowed(limit, 2, seconds(30));
    said.gate.rulings[0].numbers = &limit.quota.shards[1];
    auto report = report_limits(said.gate, 0, 0.0);
    CHECK(report.members[0].quota == 10);
    CHECK(report.members[0].remaining == 6); // two of three, in a shard of three of ten
    CHECK(report.members[0].wait == 30);
    CHECK(written(said) == "RateLimit-Policy: \"x\";q=10;w=60\r\nRateLimit: \"x\";r=6;t=30\r\n");

    said.gate.rulings[0].numbers = &limit.quota.shards[0];
    said.gate.rulings[0].decision.remaining = 4;
    CHECK(report_limits(said.gate, 0, 0.0).members[0].remaining == 10);
}
