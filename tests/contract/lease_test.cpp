// lua/lease.lua, and lua/acquire.lua on counters that lend, against their twin in C++ (limiter/lease_ledger): random histories
// compared step by step, and what only a real server can show.
#include "limiter/lease_ledger.hpp"
#include "limiter/redis/lease_codec.hpp"
#include "tests/contract/redis_worker.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <doctest/doctest.h>

#include <map>
#include <random>

namespace penstock::tests {
namespace {

using limiter::fixed_window;
using limiter::token_bucket;
using random_source = std::mt19937_64;

std::int64_t pick(random_source& random, std::int64_t least, std::int64_t most)
{
    return std::uniform_int_distribution{least, most}(random);
}

// More than an hour ahead of the server's clock, so that no key dies before the test is done with it.
base::instant origin()
{
    auto const seconds = base::since_epoch_us(base::clock::now()) / 1'000'000;
    return base::at_epoch_us((seconds / 1000 + 5) * 1000 * 1'000'000);
}

// Both scripts, deciding by the time that the test gives.
class lending_store {
public:
    lending_store() : socket_(io_), worker_(with_clock())
    {
        socket_.connect(boost::asio::local::stream_protocol::endpoint(server_.unix_path()));
        worker_.until_up();
    }

    limiter::lease_answer lend(limiter::lease_request const& asked, base::instant now)
    {
        std::string frame;
        limiter::redis::append_lease(frame, limiter::redis::calling::by_text, asked, &now);
        boost::asio::write(socket_, boost::asio::buffer(frame));
        for (;;) {
            auto const got = replies_.next();
            REQUIRE(got.has_value());
            if (*got) {
                CAPTURE((*got)->text);
                auto const answer = limiter::redis::decode_lease(**got);
                REQUIRE(answer.has_value());
                return *answer;
            }
            std::array<char, 4096> bytes{};
            auto const size = socket_.read_some(boost::asio::buffer(bytes));
            REQUIRE(!replies_.feed({bytes.data(), size}));
        }
    }
    limiter::decision acquire(limiter::claim const& asked, base::instant now)
    {
        now_ = now;
        auto const answer = worker_.ask({&asked, 1});
        REQUIRE_MESSAGE(answer.has_value(), answer.error().message());
        return answer->decisions[0];
    }
    redis_server& server() noexcept { return server_; }

private:
    limiter::redis_settings with_clock()
    {
        auto wanted = settings_for(server_);
        wanted.test_clock = &now_;
        return wanted;
    }
    base::instant now_{};
    redis_server server_;
    boost::asio::io_context io_;
    boost::asio::local::stream_protocol::socket socket_;
    limiter::redis::reply_reader replies_;
    redis_worker worker_;
};

// The twin over a map.
class reference_store {
public:
    limiter::lease_answer lend(limiter::lease_request const& asked, base::instant now)
    {
        auto const result = limiter::lend(asked, state_of(asked.key), now);
        if (result.changed) keep(asked.key, result.next);
        return result.answer;
    }
    limiter::decision acquire(limiter::claim const& asked, base::instant now)
    {
        auto const result = limiter::advance_lending(asked.algorithm(), state_of(asked.key), asked.cost, now);
        if (result.look.decision.allowed && asked.cost > 0)
            keep(asked.key, result.next);
        else if (result.look.needs_repair)
            keep(asked.key, result.repaired);
        return result.look.decision;
    }

private:
    limiter::lending_counter const* state_of(partition::partition_key const& key) const
    {
        auto const found = counters_.find(std::string(key.view()));
        return found == counters_.end() ? nullptr : &found->second;
    }
    void keep(partition::partition_key const& key, limiter::lending_counter const& state)
    {
        counters_.insert_or_assign(std::string(key.view()), state);
    }
    std::map<std::string, limiter::lending_counter> counters_;
};

std::string text_of(limiter::lease_answer const& a)
{
    std::string text;
    for (auto const number : {base::since_epoch_us(a.now), a.granted, a.lapses_at_us, std::int64_t{a.valid_for.count()},
                              a.remaining, std::int64_t{a.reset_after.count()}, std::int64_t{a.retry_after.count()}})
        text += std::to_string(number) + " ";
    return text;
}

std::string text_of(limiter::decision const& d)
{
    return std::to_string(d.allowed) + " " + std::to_string(d.remaining) + " " + std::to_string(d.reset_after.count()) + " " +
           std::to_string(d.retry_after.count());
}

limiter::algorithm random_limit(random_source& random, bool window)
{
    static constexpr std::int64_t refills[] = {1, 3, 7, 10, 50, 60, 997, 5000, 99'991, 999'983};
    static constexpr std::int64_t periods[] = {100'000, 1'000'000, 7'000'000, 60'000'000};
    static constexpr std::int64_t bursts[] = {2, 5, 10, 100, 1000, 1'000'000};
    for (;;) {
        auto const refill = refills[pick(random, 0, 9)];
        base::micros const period{periods[pick(random, 0, 3)]};
        auto const burst = bursts[pick(random, 0, 5)];
        std::optional<limiter::algorithm> made;
        if (window)
            made = limiter::make_fixed_window(burst, period);
        else
            made = limiter::make_token_bucket(burst, refill, period);
        if (made && limiter::lease_terms_of(*made)) return *made;
    }
}

std::int64_t random_step(random_source& random)
{
    switch (pick(random, 0, 19)) {
    case 0: return -pick(random, 1, 2'000'000);
    case 1: return pick(random, 1, 100'000'000);
    case 2:
    case 3: return pick(random, 1, 2'000'000);
    case 4:
    case 5:
    case 6: return pick(random, 1, 300'000);
    default: return pick(random, 0, 2000);
    }
}

// What holders know of a counter: the groups that they were granted permits of. They report more or less than the truth, too.
struct history {
    limiter::algorithm limit;
    limiter::policy policy;
    std::vector<std::int64_t> groups{0, 0};

    limiter::lease_request request(random_source& random, std::string const& key)
    {
        limiter::lease_request asked;
        asked.key.append(key);
        asked.algorithm = limit;
        auto const burst = limiter::burst_of(limit);
        asked.want = pick(random, 0, 3) == 0 ? 0 : pick(random, 1, burst + burst / 2);
        asked.least = pick(random, 0, 2) == 0 ? pick(random, 1, burst + 1) : 1;
        asked.want = asked.want == 0 ? 0 : std::max(asked.want, asked.least);
        for (auto& report : asked.reports) {
            if (pick(random, 0, 2) == 0) continue;
            report.lapses_at_us = groups[groups.size() - 1 - static_cast<std::size_t>(pick(random, 0, 1))];
            report.spent = pick(random, 0, burst / 2);
            report.returned = pick(random, 0, burst / 4);
        }
        if (asked.reports[0].lapses_at_us == asked.reports[1].lapses_at_us) asked.reports[1] = {};
        return asked;
    }
};

} // namespace

TEST_CASE("Redis and the C++ twin lend, report and charge alike to the bit, over random histories")
{
    lending_store redis;
    reference_store twin;
    auto const seed = std::random_device{}();
    CAPTURE(seed);
    random_source random(seed);

    constexpr std::int64_t counters = 8;
    std::vector<history> histories(counters);
    auto const start = origin();
    auto now = start;
    std::int64_t granted = 0;
    for (int step = 0; step < 6'000; ++step) {
        CAPTURE(step);
        now = std::max(now + base::micros{random_step(random)}, start - std::chrono::seconds(1000));
        auto const which = pick(random, 0, counters - 1);
        auto& one = histories[static_cast<std::size_t>(which)];
        if (one.groups.size() == 2 || pick(random, 0, 100) == 0) {
            one.limit = random_limit(random, which % 4 == 3);
            one.policy.quota.algorithm = one.limit;
            if (one.groups.size() == 2) one.groups.push_back(0);
        }
        auto const key = "lend:" + std::to_string(which);
        if (pick(random, 0, 2) == 0) {
            limiter::claim asked;
            asked.policy = &one.policy;
            asked.key.append(key);
            asked.cost = pick(random, 0, 3) == 0 ? pick(random, 0, limiter::burst_of(one.limit) + 1) : 1;
            auto const expected = text_of(twin.acquire(asked, now));
            REQUIRE(text_of(redis.acquire(asked, now)) == expected);
            continue;
        }
        auto const asked = one.request(random, key);
        auto const expected = twin.lend(asked, now);
        REQUIRE(text_of(redis.lend(asked, now)) == text_of(expected));
        granted += expected.granted;
        if (expected.granted > 0) one.groups.push_back(expected.lapses_at_us);
    }
    CHECK(granted > 0);
}

TEST_CASE("a counter that no longer lends goes back to the form that INCRBY moves")
{
    lending_store store;
    one_claim const claim{*limiter::make_token_bucket(1000, 1000, base::micros{1'000'000}), "k"};
    limiter::lease_request asked;
    asked.key.append("k");
    asked.algorithm = claim.policy.quota.algorithm;
    asked.want = 100;
    auto const now = origin();
    auto const granted = store.lend(asked, now);
    CHECK(granted.granted == 100);
    CHECK(store.server().command({"GET", "k"}).find(':') != std::string::npos);

    SUBCASE("when everything was reported")
    {
        asked.want = 0;
        asked.reports[0] = {.lapses_at_us = granted.lapses_at_us, .spent = 60, .returned = 40};
        store.lend(asked, now);
        CHECK(store.server().command({"GET", "k"}) == std::to_string(base::since_epoch_us(now) + 60'000));
    }
    SUBCASE("when it lapsed")
    {
        store.acquire(claim.claim, now + 2 * limiter::longest_epoch);
        CHECK(store.server().command({"GET", "k"}).find(':') == std::string::npos);
    }
}

TEST_CASE("asking in vain writes nothing")
{
    lending_store store;
    limiter::lease_request asked;
    asked.key.append("k");
    asked.algorithm = *limiter::make_token_bucket(10, 10, base::micros{1'000'000});
    asked.want = asked.least = 10;
    auto const now = origin();
    CHECK(store.lend(asked, now).granted == 10);
    auto const written = store.server().command({"GET", "k"});
    auto const refused = store.lend(asked, now + base::micros{10});
    CHECK(refused.granted == 0);
    // As long as all ten may still be spent, none of them refills.
    CHECK(refused.retry_after == base::micros{1'000'000});
    CHECK(store.server().command({"GET", "k"}) == written);
    asked.least = asked.want = 11;
    CHECK(store.lend(asked, now + base::micros{10}).retry_after == limiter::never);
    CHECK(store.server().command({"GET", "k"}) == written);
}

TEST_CASE("whatever no limiter wrote is an untouched counter to a lease, too")
{
    lending_store store;
    auto const now = origin();
    auto const at = std::to_string(base::since_epoch_us(now) + 500'000);
    for (auto const& text :
         std::vector<std::string>{"", "rubbish", "nan", "inf", "-5", "1e99", at + ":", at + ":0:1", at + ":0:1:2:3",
                                  at + ":0:1:2:3:4:5", at + ":0:99999999999999999999:1:0:0", at + ":0:x:1:0:0",
                                  "99999999999999999999:0:1:1:1:1", at.substr(0, 13) + ":5"}) {
        CAPTURE(text);
        for (bool const window : {false, true}) {
            if (!window && text == at.substr(0, 13) + ":5") continue; // an arrival time, long ago
            limiter::lease_request asked;
            asked.key.append("k");
            if (window)
                asked.algorithm = *limiter::make_fixed_window(10, base::micros{1'000'000});
            else
                asked.algorithm = *limiter::make_token_bucket(10, 10, base::micros{1'000'000});
            asked.want = 4;
            store.server().command({"SET", "k", text});
            auto const answer = store.lend(asked, now);
            CHECK(answer.granted == 4);
            CHECK(answer.remaining == 6);
            one_claim const claim{asked.algorithm, "k"};
            CHECK(store.acquire(claim.claim, now).remaining == 5);
        }
    }
    store.server().command({"DEL", "k"});
    store.server().command({"HSET", "k", "field", "value"});
    limiter::lease_request asked;
    asked.key.append("k");
    asked.algorithm = *limiter::make_token_bucket(10, 10, base::micros{1'000'000});
    asked.want = 4;
    CHECK(store.lend(asked, now).granted == 4);
}

} // namespace penstock::tests
