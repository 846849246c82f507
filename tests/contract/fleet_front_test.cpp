// fleet_front before a real Redis, as two gateways have it: with all that it remembers, shares and takes in advance, each answer
// is what the pure functions say, and leased limits are never exceeded.
#include "limiter/fleet_front.hpp"

#include "tests/contract/random_limits.hpp"
#include "tests/contract/redis_worker.hpp"
#include "tests/contract/reference_store.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <vector>

namespace penstock::tests {
namespace {

using namespace std::chrono_literals;
using limiter::claims;
using limiter::verdict;

class gateway {
public:
    explicit gateway(redis_server const& server) : worker_(settings_for(server)) { worker_.until_up(); }

    // All of them in the same turn of the loop.
    std::vector<verdict> ask(std::vector<claims> const& all)
    {
        std::vector<verdict> answers(all.size());
        std::size_t done = 0;
        for (std::size_t i = 0; i < all.size(); ++i)
            boost::asio::co_spawn(worker_.io(), front.acquire(all[i], base::instant::max()),
                                  [&answers, &done, i](std::exception_ptr failed, base::result<verdict> got) {
                                      REQUIRE_FALSE(failed);
                                      answers[i] = std::move(got).value();
                                      ++done;
                                  });
        worker_.run_until([&] { return done == all.size(); });
        front.tick(base::clock::now());
        return answers;
    }
    void close()
    {
        front.close_leases(base::clock::now());
        worker_.run_until([this] { return front.leases_settled(); });
    }
    [[nodiscard]] std::uint64_t calls() { return worker_.store().count().commands; }
    [[nodiscard]] std::uint64_t on_lease(std::string const& limit) { return counts_[limit].admissions_on_lease; }

private:
    redis_worker worker_;
    limiter::fleet_counts counts_;

public:
    limiter::fleet_front front{worker_.io(), worker_.store(), {.k0 = 3, .k1 = 4}, counts_};
};

limiter::policy policy_of(std::string const& name, limiter::algorithm const& how)
{
    limiter::policy made;
    made.name = name;
    made.quota.algorithm = how;
    made.scope = limiter::scope::fleet;
    return made;
}

limiter::claim claim_of(limiter::policy const& limit, std::string const& identity, std::int64_t cost = 1)
{
    limiter::claim made;
    made.policy = &limit;
    made.cost = cost;
    made.key.append("rl:{" + identity + "}:" + limit.name + ":" + limiter::tag_of(limit.quota.algorithm));
    return made;
}

void check_same(verdict const& got, verdict const& wanted)
{
    CHECK(got.allowed == wanted.allowed);
    REQUIRE(got.decisions.size() == wanted.decisions.size());
    for (std::size_t i = 0; i < got.decisions.size(); ++i) {
        CAPTURE(i);
        CHECK(got.decisions[i].known == wanted.decisions[i].known);
        CHECK(got.decisions[i].allowed == wanted.decisions[i].allowed);
        CHECK(got.decisions[i].remaining == wanted.decisions[i].remaining);
        CHECK(got.decisions[i].reset_after.count() == wanted.decisions[i].reset_after.count());
        CHECK(got.decisions[i].retry_after.count() == wanted.decisions[i].retry_after.count());
    }
}

// Of those who share a call each is told how many permits are left after its own charge; when the counter is untouched again
// only after the charge of all of them.
void check_shared(verdict const& got, verdict const& wanted)
{
    CHECK(wanted.allowed);
    CHECK(got.decisions.front().remaining == wanted.decisions.front().remaining);
    CHECK(got.decisions.front().reset_after >= wanted.decisions.front().reset_after);
}

// A refusal that was told without a call: still true by the machine's clock, and counted down.
void check_remembered(reference_store const& truth, claims const& asked, verdict const& got)
{
    CHECK_FALSE(got.allowed);
    auto refusals = 0;
    for (std::size_t i = 0; i < asked.size(); ++i) {
        auto const& said = got.decisions[i];
        if (!said.known) continue;
        ++refusals;
        auto copy = truth;
        // Never a longer wait than the truth; a shorter one where others were admitted meanwhile.
        auto const wanted = copy.acquire({&asked[i], 1}, got.now).decisions.front();
        CHECK_FALSE(said.allowed);
        CHECK_FALSE(wanted.allowed);
        CHECK(said.retry_after <= wanted.retry_after + 2ms);
        CHECK(said.retry_after > 0us);
    }
    CHECK(refusals == 1);
}

// Refuses an admission that comes too soon: no more than burst + rate x t in any interval, though a time may be noted so much
// later than the permit was spent.
class meter {
public:
    meter(double burst, double per_us, base::micros noted_late)
        : full_(burst + per_us * static_cast<double>(noted_late.count())), per_us_(per_us), left_(full_)
    {}
    bool admits(base::instant at)
    {
        left_ = std::min(full_, left_ + per_us_ * static_cast<double>((at - last_).count()));
        last_ = at;
        left_ -= 1;
        return left_ >= 0;
    }

private:
    double full_;
    double per_us_;
    double left_;
    base::instant last_{};
};

} // namespace

TEST_CASE("exact limits of every algorithm through two fronts are answered as the pure functions answer")
{
    redis_server const server;
    std::array<gateway, 2> gateways{gateway(server), gateway(server)};
    auto const seed = std::random_device{}();
    CAPTURE(seed);
    random_source random(seed);
    // Days begin at whole seconds.
    auto const days = short_days(std::chrono::floor<std::chrono::seconds>(base::clock::now()), 1s);
    std::vector<limiter::policy> limits;
    for (std::size_t which = 0; which < 8; ++which) // all but concurrency, whose permits are held
        for (int i = 0; i < 2; ++i)
            limits.push_back(policy_of(algorithm_names[which] + std::to_string(i), random_limit(random, which, days)));
    limits.push_back(policy_of("small", *limiter::make_token_bucket(3, 20, 1s)));

    reference_store truth;
    std::uint64_t remembered = 0;
    for (int round = 0; round < 3000; ++round) {
        auto& by = gateways[static_cast<std::size_t>(pick(random, 0, 1))];
        claims asked;
        auto const first = static_cast<std::size_t>(pick(random, 0, static_cast<std::int64_t>(limits.size()) - 1));
        for (std::size_t i = 0; i < static_cast<std::size_t>(pick(random, 1, 3)); ++i) {
            auto const& limit = limits[(first + i * 5) % limits.size()];
            asked.push_back(claim_of(limit, "x", random_cost(random, limit.quota.algorithm)));
        }
        auto const calls = by.calls();
        auto const got = by.ask({asked}).front();
        CAPTURE(round);
        CAPTURE(limits[first].name); // and those five and ten further
        if (by.calls() == calls) {
            ++remembered;
            check_remembered(truth, asked, got);
        } else {
            check_same(got, truth.acquire(asked, got.now));
        }
    }
    CHECK(remembered > 100);
}

TEST_CASE("requests alike that come together through two fronts are answered as if each had asked, in their order")
{
    redis_server const server;
    std::array<gateway, 2> gateways{gateway(server), gateway(server)};
    auto const seed = std::random_device{}();
    CAPTURE(seed);
    random_source random(seed);
    auto const bucket = policy_of("b", *limiter::make_token_bucket(40, 500, 1s));
    auto const window = policy_of("w", *limiter::make_fixed_window(60, 100ms));

    reference_store truth;
    std::uint64_t asked = 0;
    for (int round = 0; round < 300; ++round) {
        auto const& limit = pick(random, 0, 1) == 0 ? bucket : window;
        std::vector<claims> const alike(static_cast<std::size_t>(pick(random, 1, 30)),
                                        claims{claim_of(limit, "x", pick(random, 1, 3))});
        asked += alike.size();
        for (auto const& got : gateways[static_cast<std::size_t>(pick(random, 0, 1))].ask(alike)) {
            CAPTURE(round);
            if (got.allowed)
                check_shared(got, truth.acquire(alike.front(), got.now));
            else
                check_remembered(truth, alike.front(), got);
        }
    }
    CHECK(gateways[0].calls() + gateways[1].calls() < asked / 2);
}

TEST_CASE("a leased bucket is never exceeded through two fronts, also when other limits refuse")
{
    redis_server const server;
    std::array<gateway, 2> gateways{gateway(server), gateway(server)};
    random_source random(std::random_device{}());
    auto leased = policy_of("l", *limiter::make_token_bucket(2000, 2000, 1s));
    leased.precision = limiter::precision::leased;
    auto const other = policy_of("o", *limiter::make_token_bucket(1, 50, 1s));

    std::vector<base::instant> admitted;
    std::size_t asked_alone = 0; // of the leased bucket, and nothing else that may refuse
    base::micros slowest{0};
    auto const begin = base::clock::now();
    auto now = begin;
    while (now < begin + 1500ms) {
        std::vector<claims> some;
        for (auto count = pick(random, 1, 16); count > 0; --count) {
            claims each{claim_of(leased, "x")};
            if (pick(random, 0, 3) == 0)
                each.push_back(claim_of(other, "x"));
            else
                ++asked_alone;
            some.push_back(each);
        }
        auto const answers = gateways[static_cast<std::size_t>(pick(random, 0, 1))].ask(some);
        auto const before = std::exchange(now, base::clock::now());
        slowest = std::max(slowest, now - before);
        for (auto const& got : answers)
            if (got.allowed) admitted.push_back(now);
    }
    meter most(2000, 0.002, slowest);
    std::size_t too_many = 0;
    for (auto const at : admitted) too_many += most.admits(at) ? 0 : 1;
    CHECK(too_many == 0);
    constexpr std::size_t permitted = 5000;
    CAPTURE(asked_alone); // a slow machine may ask for less than is permitted
    CHECK(admitted.size() * 5 > std::min(asked_alone, permitted) * 4);
    CHECK(gateways[0].on_lease("l") + gateways[1].on_lease("l") > admitted.size() / 2);
}

TEST_CASE("a leased window knows in the end of every permit that was spent, and of no other")
{
    redis_server const server;
    auto const seed = std::random_device{}();
    CAPTURE(seed);
    random_source random(seed);
    auto leased = policy_of("l", *limiter::make_fixed_window(1'000'000, 1h));
    leased.precision = limiter::precision::leased;
    auto const other = policy_of("o", *limiter::make_token_bucket(1, 50, 1s));
    std::int64_t admitted = 0;
    {
        std::array<gateway, 2> gateways{gateway(server), gateway(server)};
        for (auto const begin = base::clock::now(); base::clock::now() < begin + 500ms;) {
            claims each{claim_of(leased, "x")};
            if (pick(random, 0, 9) == 0) each.push_back(claim_of(other, "x"));
            auto& by = gateways[static_cast<std::size_t>(pick(random, 0, 1))];
            for (auto const& got : by.ask({8, each})) admitted += got.allowed ? 1 : 0;
        }
        CHECK(gateways[0].on_lease("l") + gateways[1].on_lease("l") > 0);
        for (auto& each : gateways) each.close();
    }
    gateway afterwards(server);
    leased.precision = limiter::precision::exact;
    auto const left = afterwards.ask({claims{claim_of(leased, "x")}}).front().decisions.front().remaining;
    CHECK(left == 1'000'000 - admitted - 1);
}

} // namespace penstock::tests
