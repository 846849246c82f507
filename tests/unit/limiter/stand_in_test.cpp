// The stand-in under several threads: the workers of one gateway lose the store and find it again each for itself, so that some
// count in its place while others tell it.
#include "limiter/stand_in.hpp"
#include "tests/unit/limiter/claims.hpp"

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <thread>
#include <vector>

namespace penstock::limiter::tests {
namespace {

constexpr int keys = 8;
constexpr int requests_of_each = 5'000;

policy local_policy_of(std::string const& name, algorithm const& how)
{
    auto made = policy_of(name, how);
    made.scope = scope::fleet;
    made.on_store_failure = failure_mode::local;
    return made;
}

struct gateway {
    memory_store memory{{.max_keys = 10'000}};
    stand_in local{memory};
    policy bucket = local_policy_of("bucket", make_token_bucket(1'000'000, 1'000, seconds(3600)).value());
    policy held = local_policy_of("held", concurrency{1'000});
    std::vector<std::array<claim, 2>> asked; // by key: a permit that refills in no time that matters, and one that is held
    std::atomic<std::uint64_t> admitted{0};
    std::atomic<std::uint64_t> told{0};
    std::atomic<int> counting{0}; // threads

    gateway()
    {
        local.set_part({.gateways = 2, .place = 1});
        for (int i = 0; i < keys; ++i)
            asked.push_back({claim_of(bucket, std::to_string(i)), claim_of(held, std::to_string(i))});
    }

    // A worker that has lost the store.
    void count_in_its_place(int first)
    {
        for (int i = 0; i < requests_of_each; ++i) {
            auto const& one = asked[static_cast<std::size_t>(first + i) % keys];
            if (!local.acquire(one, start).allowed) continue;
            ++admitted;
            local.release(one[1], start);
        }
        --counting;
    }

    // A worker that reaches it: what it is told of, it charges or, now and then, does not answer.
    void tell()
    {
        auto debts = local.take_some(
            4, [](claim const&) { return true; }, start);
        if (auto one = local.take(asked.front().front(), start)) debts.push_back(std::move(*one));
        for (auto const& each : debts) {
            if (each.permits % 7 == 0) {
                local.not_handed_over(each);
                continue;
            }
            told += static_cast<std::uint64_t>(each.permits);
            local.handed_over(each, each.permits);
        }
    }
    void tell_while_others_count()
    {
        while (counting > 0) {
            local.note(asked.back().front().key, bucket.quota.algorithm,
                       {.remaining = 1, .at = start, .reset_after = seconds(9)});
            local.set_part({.gateways = 2, .place = 1});
            tell();
            static_cast<void>(local.count());
        }
    }
};

} // namespace

TEST_CASE("threads that count in the store's place, and threads that tell it, lose and invent no permit")
{
    gateway here;
    constexpr int counting = 3;
    here.counting = counting;
    {
        std::vector<std::jthread> workers;
        for (int i = 0; i < counting; ++i) workers.emplace_back([&here, i] { here.count_in_its_place(i); });
        for (int i = 0; i < 2; ++i) workers.emplace_back([&here] { here.tell_while_others_count(); });
    }
    auto const untold = here.local.take_some(
        1'000, [](claim const&) { return true; }, start);
    for (auto const& each : untold) {
        here.told += static_cast<std::uint64_t>(each.permits);
        here.local.handed_over(each, each.permits);
    }
    auto const admitted = here.admitted.load();
    CHECK(admitted > 0);
    CHECK(here.told.load() == admitted);
    CHECK_FALSE(here.local.owes());
    CHECK(here.local.count().handed_over == admitted);
    CHECK(here.local.count().not_recorded == 0);
}

} // namespace penstock::limiter::tests
