// cluster_store while the slots of its cluster, or a node that it has not been connected to yet, cannot be learnt or reached: a few
// requests wait in vain, then none waits until they are there.
#include "tests/contract/redis_fake_server.hpp"
#include "tests/contract/redis_worker.hpp"
#include "tests/support/redis_cluster.hpp"

#include <doctest/doctest.h>

namespace penstock::tests {
namespace {

using namespace std::chrono_literals;
using limiter::errc;

limiter::redis_settings settings_for(std::vector<std::uint16_t> const& seeds)
{
    limiter::redis_settings wanted;
    for (auto const port : seeds) wanted.cluster_seeds.push_back({"127.0.0.1", port});
    wanted.check_timeout = 10s;
    wanted.connect_timeout = 10s;
    wanted.breaker = {.failures = 3, .open_for = 20ms, .open_for_max = 100ms};
    return wanted;
}

one_claim claim_in(std::string const& tag) { return {*limiter::make_token_bucket(100, 1, 1h), "rl:" + tag + ":limit"}; }

unsigned breaker_of(redis_worker& worker) { return worker.store().count().breaker_state; }
std::uint64_t errors_of(redis_worker& worker, errc kind)
{
    return worker.store().count().errors[static_cast<std::size_t>(kind)];
}

// Waits for the breaker, then asks with a time that no answer at once takes.
void until_nobody_waits(redis_worker& worker, limiter::claim const& about)
{
    worker.run_until([&] { return breaker_of(worker) == 2; });
    auto const began = base::clock::now();
    for (int i = 0; i < 20; ++i) CHECK(worker.ask({&about, 1}).error() == errc::breaker_open);
    CHECK(base::clock::now() - began < 10s);
    CHECK_FALSE(worker.store().can_ask(about));
    CHECK_FALSE(worker.store().count().up);
    CHECK_FALSE(worker.store().count().trouble.empty());
}

} // namespace

TEST_CASE("a login that every seed refuses opens the breaker at once, and answers those who wait")
{
    redis_cluster cluster;
    auto wanted = settings_for({cluster.node(0).port(), cluster.node(1).port()});
    for (std::size_t i = 0; i < 2; ++i) cluster.node(i).command({"CONFIG", "SET", "requirepass", "secret"});
    redis_worker worker(wanted);
    auto const one = claim_in(cluster.tag_on(2));
    // One login that is refused is certain.
    CHECK(worker.ask(one.view()).error() == errc::breaker_open);
    until_nobody_waits(worker, one.claim);
    CHECK(errors_of(worker, errc::refused_login) > 0);
    CHECK(worker.was_told("breaker open: refused_login: nobody tells the slots of the cluster"));
}

TEST_CASE("servers that are not there, and one that is in no cluster: so many questions in a row open the breaker")
{
    redis_server alone;
    redis_server gone;
    gone.kill();
    for (auto const port : {alone.port(), gone.port()}) {
        redis_worker worker(settings_for({port}));
        auto const one = claim_in("{a}");
        CHECK(worker.ask(one.view()).error() == errc::breaker_open);
        until_nobody_waits(worker, one.claim);
        CHECK(errors_of(worker, errc::timed_out) == 0);
    }
}

TEST_CASE("why nobody tells the slots is said once for each kind of reason, however the words differ")
{
    redis_worker worker;
    int asked = 0;
    redis_fake_server away(worker.io(), [&](std::string_view) {
        ++asked;
        return (asked % 3 == 0 ? "-LOADING since " : "-ERR away, says backend-") + std::to_string(asked) + "\r\n";
    });
    worker.start(settings_for({away.port()}));
    worker.run_until([&] { return worker.store().count_cluster()->refreshes_failed >= 8; });
    auto const lines = [&](std::string const& part) {
        return std::ranges::count_if(worker.told(), [&](auto const& line) { return line.find(part) != std::string::npos; });
    };
    CHECK(lines("cannot learn the slots of the cluster") == 2);
    CHECK(lines("says backend-1") == 1);
    CHECK(lines("LOADING since 3") == 1);
    CHECK(lines("breaker open") == 1);
    // What is asked for is the present state.
    CHECK(worker.store().count().trouble.find(std::to_string(asked)) != std::string::npos);
}

TEST_CASE("a seed that stands still: so many requests wait in vain, then none; slots that become known close the breaker")
{
    redis_cluster cluster;
    auto wanted = settings_for({cluster.node(0).port(), cluster.node(1).port()});
    wanted.check_timeout = 30ms;
    cluster.node(0).pause();
    redis_worker worker(wanted);
    auto const one = claim_in(cluster.tag_on(1));
    for (unsigned i = 0; i < wanted.breaker.failures; ++i) CHECK(worker.ask(one.view()).error() == errc::not_connected);
    until_nobody_waits(worker, one.claim);
    CHECK(worker.was_told("breaker open: not_connected: nobody tells the slots of the cluster"));
    cluster.node(0).resume();
    worker.until_up();
    auto terms = static_cast<limiter::redis_terms>(wanted);
    terms.check_timeout = 10s;
    worker.store().adopt(terms);
    CHECK(worker.ask(one.view())->allowed);
    CHECK(worker.store().count().trouble.empty());
    CHECK(worker.was_told("connected to the cluster: 3 nodes"));
}

TEST_CASE("a shorter connect_timeout ends the question that a silent seed was asked, and the next is asked")
{
    redis_cluster cluster;
    auto wanted = settings_for({cluster.node(0).port(), cluster.node(1).port()});
    wanted.connect_timeout = 1h;
    cluster.node(0).pause();
    redis_worker worker(wanted);
    auto const one = claim_in(cluster.tag_on(1));
    worker.io().poll(); // the question is under way
    CHECK_FALSE(worker.store().can_ask(one.claim));
    auto terms = static_cast<limiter::redis_terms>(wanted);
    terms.connect_timeout = 100ms;
    worker.store().adopt(terms);
    worker.run_until([&] { return worker.store().can_ask(one.claim); });
    cluster.node(0).resume();
}

TEST_CASE("a primary that stands still before it is first connected to: its breaker hears of those who wait in vain")
{
    redis_cluster cluster;
    auto wanted = settings_for({cluster.node(1).port(), cluster.node(2).port()});
    wanted.check_timeout = 30ms;
    cluster.node(0).pause();
    redis_worker worker(wanted);
    auto const still = claim_in(cluster.tag_on(0));
    auto const other = claim_in(cluster.tag_on(1));
    worker.run_until([&] { return worker.store().can_ask(other.claim); });
    for (unsigned i = 0; i < wanted.breaker.failures; ++i) CHECK(worker.ask(still.view()).error() == errc::not_connected);
    until_nobody_waits(worker, still.claim);
    CHECK(worker.store().can_ask(other.claim));
    CHECK(worker.was_told("127.0.0.1:" + std::to_string(cluster.node(0).port()) + ": breaker open: not_connected"));
    cluster.node(0).resume();
    worker.until_up();
    CHECK(worker.store().can_ask(still.claim));
}

} // namespace penstock::tests
