// Refusals remembered: with and without them every answer is the same, for each algorithm for which it may be.
#include "limiter/denial_memory.hpp"

#include "limiter/fingerprint.hpp"
#include "tests/unit/limiter/claims.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

namespace penstock::limiter {
namespace {

using namespace std::chrono_literals;
using tests::claim_of;
using tests::policy_of;

constexpr base::hash_key secret{.k0 = 1, .k1 = 2};

// So short that a history crosses their ends.
calendar const& minutes_as_days()
{
    static calendar const made = [] {
        calendar all;
        auto const first = base::since_epoch_us(tests::start) / 60'000'000 - 2;
        for (int i = 0; i < 100; ++i) all.starts.push_back((first + i) * 60'000'000);
        return all;
    }();
    return made;
}

struct row {
    std::string name;
    limiter::algorithm numbers;
};

std::vector<row> const& exact_algorithms()
{
    static std::vector<row> const rows{{"token bucket", *make_token_bucket(20, 10, 1s)},
                                       {"token bucket of thirds", *make_token_bucket(7, 3, 1s)},
                                       {"periodic bucket", *make_periodic_bucket(20, 7, 1s)},
                                       {"fixed window", *make_fixed_window(20, 2s)},
                                       {"clock window", *make_clock_window(20, 2s)},
                                       {"calendar window", calendar_window{.limit = 20, .calendar = &minutes_as_days()}},
                                       {"sliding window", *make_sliding_window(20, 2s, 4)},
                                       {"sliding counter", *make_sliding_counter(20, 2s)},
                                       {"sliding log", *make_sliding_log(20, 2s)}};
    return rows;
}

// One limit's counters by key, as every store keeps them.
class counters {
public:
    decision acquire(claim const& asked, base::instant now)
    {
        auto const& numbers = asked.algorithm();
        auto const key = std::string(asked.key.view());
        if (keeps_long_state(numbers)) {
            auto& state = long_states_[key];
            auto const looked = advance_long(numbers, &state, asked.cost, now);
            if (looked.decision.allowed && asked.cost > 0) keep_charge(numbers, state, asked.cost, now);
            return looked.decision;
        }
        auto const [state, fresh] = states_.try_emplace(key);
        auto const looked = advance(numbers, fresh ? nullptr : &state->second, asked.cost, now);
        if (looked.decision.allowed && asked.cost > 0)
            state->second = looked.next;
        else if (fresh)
            states_.erase(state);
        return looked.decision;
    }

private:
    std::map<std::string, counter_state> states_;
    std::map<std::string, long_state> long_states_;
};

// A store alone, and one behind a memory of denials, asked the same.
class both_ways {
public:
    explicit both_ways(limiter::algorithm const& numbers) : limit(policy_of("x", numbers)) {}

    decision plainly(claim const& asked, base::instant now) { return plain_.acquire(asked, now); }
    // The question takes `on_its_way` to the store.
    decision remembering(claim const& asked, base::instant now, base::micros on_its_way)
    {
        auto const fingerprint = fingerprint_of(asked, secret);
        if (auto const denied = denials.find(fingerprint, asked, now)) {
            ++from_memory;
            return *denied;
        }
        auto const said = behind_.acquire(asked, now + on_its_way);
        denials.remember(fingerprint, said, now, now + on_its_way);
        return said;
    }

    policy limit;
    denial_memory denials;
    int from_memory = 0;

private:
    counters plain_;
    counters behind_;
};

} // namespace

TEST_CASE("with and without the memory of denials every answer is the same, to the microsecond")
{
    std::mt19937_64 random(20'261'120);
    for (auto const& [name, numbers] : exact_algorithms()) {
        for (std::int64_t const cost : {1, 3}) {
            CAPTURE(name);
            CAPTURE(cost);
            both_ways stores(numbers);
            auto const a = claim_of(stores.limit, "a", cost);
            auto const b = claim_of(stores.limit, "b", cost);
            auto now = tests::start;
            auto refused = 0;
            for (int i = 0; i < 20'000; ++i) {
                now += base::micros{static_cast<std::int64_t>(random() % 50'000)};
                auto const& asked = random() % 4 == 0 ? b : a;
                auto const expected = stores.plainly(asked, now);
                auto const got = stores.remembering(asked, now, 0us);
                if (!expected.allowed) ++refused;
                auto alike = got;
                // Permits that are too few for the cost may come while it waits: where nothing tells when, they are told
                // as they were.
                if (cost > 1 && got.remaining < expected.remaining) alike.remaining = expected.remaining;
                CAPTURE(i);
                REQUIRE(alike == expected);
            }
            CHECK(refused > 2'000);
            CHECK(stores.from_memory > refused / 2);
        }
    }
}

TEST_CASE("whatever the costs and the delays, nobody is refused whom the store would admit")
{
    std::mt19937_64 random(7);
    for (auto const& [name, numbers] : exact_algorithms()) {
        CAPTURE(name);
        both_ways stores(numbers);
        auto now = tests::start;
        for (int i = 0; i < 20'000; ++i) {
            now += base::micros{static_cast<std::int64_t>(random() % 50'000)};
            auto const asked = claim_of(stores.limit, "a", static_cast<std::int64_t>(random() % 4));
            base::micros const delay{static_cast<std::int64_t>(random() % 3'000)};
            auto const before = stores.from_memory;
            auto const got = stores.remembering(asked, now, delay);
            // An answer from memory is given at once.
            auto const expected = stores.plainly(asked, stores.from_memory == before ? now + delay : now);
            CAPTURE(i);
            REQUIRE(got.allowed == expected.allowed);
            if (!got.allowed) REQUIRE(got.retry_after <= expected.retry_after);
            now += delay;
        }
        CHECK(stores.from_memory > 100);
    }
}

TEST_CASE("a denial stands until its last microsecond, counted from the sending")
{
    auto const limit = policy_of("x", *make_fixed_window(1, 10s));
    auto const asked = claim_of(limit, "a");
    auto const fingerprint = fingerprint_of(asked, secret);
    denial_memory denials;
    decision const said{.allowed = false, .known = true, .remaining = 0, .reset_after = 9s, .retry_after = 9s};
    denials.remember(fingerprint, said, tests::start, tests::start + 2s);
    auto const last = denials.find(fingerprint, asked, tests::start + 9s - 1us);
    REQUIRE(last);
    CHECK(last->retry_after == 1us);
    CHECK(last->reset_after == 1us);
    CHECK_FALSE(denials.find(fingerprint, asked, tests::start + 9s));
}

TEST_CASE("other numbers, another cost or another key are another question")
{
    auto const limit = policy_of("x", *make_token_bucket(10, 1, 1s));
    auto const asked = claim_of(limit, "a");
    auto const fingerprint = fingerprint_of(asked, secret);
    CHECK(fingerprint == fingerprint_of(claim_of(limit, "a"), secret));
    CHECK(fingerprint != fingerprint_of(claim_of(limit, "a", 2), secret));
    CHECK(fingerprint != fingerprint_of(claim_of(limit, "b"), secret));
    CHECK(fingerprint != fingerprint_of(asked, {.k0 = 1, .k1 = 3}));
    for (limiter::algorithm const other : {*make_token_bucket(11, 1, 1s), *make_token_bucket(10, 2, 1s)}) {
        auto elsewhere = asked;
        elsewhere.numbers = &other;
        CHECK(fingerprint != fingerprint_of(elsewhere, secret));
    }
}

TEST_CASE("nothing is kept of what was allowed, can never pass, is over, or may end early")
{
    auto limit = policy_of("x", *make_fixed_window(1, 10s));
    denial_memory denials;
    decision const allowed{.allowed = true, .known = true, .remaining = 3, .reset_after = 9s, .retry_after = 0us};
    decision const hopeless{.allowed = false, .known = true, .remaining = 1, .reset_after = 9s, .retry_after = never};
    decision const over{.allowed = false, .known = true, .remaining = 0, .reset_after = 1s, .retry_after = 1s};
    denials.remember(1, allowed, tests::start, tests::start);
    denials.remember(2, hopeless, tests::start, tests::start);
    denials.remember(3, over, tests::start, tests::start + 1s);
    CHECK(denials.empty());
    CHECK(denial_memory::remembers(claim_of(limit, "a")));
    limit.enforce = enforcement::shadow;
    CHECK_FALSE(denial_memory::remembers(claim_of(limit, "a")));
    CHECK_FALSE(denial_memory::remembers(claim_of(policy_of("c", concurrency{.limit = 1}), "a")));
}

TEST_CASE("it is bounded, and empty after a change of configuration")
{
    denial_memory denials(1000);
    decision const said{.allowed = false, .known = true, .remaining = 0, .reset_after = 9s, .retry_after = 9s};
    for (std::uint64_t i = 1; i <= 5000; ++i) denials.remember(i * 0x9e37'79b9'7f4a'7c15, said, tests::start, tests::start);
    CHECK(denials.size() == 1000);
    denials.clear();
    CHECK(denials.empty());
}

} // namespace penstock::limiter
