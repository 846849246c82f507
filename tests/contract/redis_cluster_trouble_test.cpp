// cluster_store on a real cluster in trouble: nodes that fail and come back, slots without an owner, addresses that are wrong, and
// the end of the store in the midst of it.
#include "tests/contract/redis_cluster_worker.hpp"

#include <doctest/doctest.h>

namespace penstock::tests {

using namespace std::chrono_literals;

TEST_CASE("a dead node fails only its own slots, at once when its breaker is open; what others took comes back")
{
    redis_cluster cluster;
    auto wanted = settings_for(cluster);
    wanted.breaker = {.failures = 2, .open_for = 20ms, .open_for_max = 100ms};
    redis_worker worker(wanted);
    worker.until_up();
    one_claim const dead{bucket(10), key_of(cluster.tag_on(0), "dead")};
    one_claim const alive{bucket(10), key_of(cluster.tag_on(1), "alive")};
    auto const both = together({&dead, &alive});
    REQUIRE(worker.ask(both).has_value());
    cluster.node(0).kill();
    worker.run_until([&] { return !worker.ask(both).has_value(); });
    for (int i = 0; i < 5; ++i) CHECK_FALSE(worker.ask(both).has_value());
    worker.run_until([&] { return worker.store().count().breaker_state != 0; });
    CHECK(worker.ask(alive.view())->allowed);
    until_remaining(worker, alive, 8);
    CHECK_FALSE(worker.store().count().up);
    CHECK(worker.was_told("lost the connection to 127.0.0.1:" + std::to_string(cluster.node(0).port())));
    CHECK(worker.was_told("127.0.0.1:" + std::to_string(cluster.node(0).port()) + ": breaker open"));
}

TEST_CASE("no request waits longer than its time: a node that stands still, slots that nobody tells")
{
    redis_cluster cluster;
    auto wanted = settings_for(cluster);
    wanted.check_timeout = 300ms;
    redis_worker worker(wanted);
    worker.until_up();
    one_claim const still{bucket(10), key_of(cluster.tag_on(0), "still")};
    one_claim const other{bucket(10), key_of(cluster.tag_on(1), "other")};
    REQUIRE(worker.ask(together({&still, &other})).has_value());
    cluster.node(0).pause();
    CHECK(worker.ask(together({&still, &other})).error() == limiter::errc::timed_out);
    until_remaining(worker, other, 9);
    cluster.node(0).resume();

    for (std::size_t i = 0; i < redis_cluster::size; ++i) cluster.node(i).pause();
    redis_worker late(wanted);
    CHECK(late.ask(still.view()).error() == limiter::errc::not_connected);
    for (std::size_t i = 0; i < redis_cluster::size; ++i) cluster.node(i).resume();
    late.until_up();
    CHECK(late.ask(still.view())->allowed);
}

TEST_CASE("a wrong address, and a Redis that is no cluster, are told once")
{
    redis_server const plain;
    auto wanted = settings_for(plain);
    wanted.host.clear();
    wanted.cluster_seeds = {{"127.0.0.1", plain.port()}};
    redis_worker worker(wanted);
    worker.run_until([&] { return counted(worker).refreshes_failed >= 3; });
    CHECK(worker.told().size() == 1);
    CHECK(worker.was_told("cluster support disabled"));
    CHECK_FALSE(worker.store().count().up);
}

TEST_CASE("slots without an owner are told once, going and coming, and hide nothing that happens meanwhile")
{
    redis_cluster cluster;
    auto wanted = settings_for(cluster);
    wanted.breaker.failures = 1'000'000; // the former owner is asked until the slots are
    redis_worker worker(wanted);
    worker.until_up();
    auto const tag = cluster.tag_on(2);
    one_claim const orphan{bucket(10), key_of(tag, "orphan")};
    std::vector<std::string> expected{"connected to the cluster: 3 nodes, all slots"};
    auto const until_told = [&](std::string const& next) {
        CAPTURE(next);
        expected.push_back(next);
        worker.run_until([&] {
            worker.store().try_at_once(); // as when another worker has good news
            static_cast<void>(worker.ask(orphan.view()));
            return worker.told().size() >= expected.size();
        });
        CHECK(worker.told().back().starts_with(next));
    };
    auto const first = "127.0.0.1:" + std::to_string(cluster.node(0).port());

    cluster.disown(tag);
    auto const about = "slot " + std::to_string(limiter::redis::slot_of(tag)) + " of the cluster has no owner";
    until_told(about);
    CHECK(worker.ask(orphan.view()).error() == limiter::errc::cluster);
    CHECK(worker.store().count().trouble == about);
    CHECK_FALSE(worker.store().count().up);
    for (int i = 0; i < 2; ++i) {
        cluster.node(0).command({"CLIENT", "KILL", "TYPE", "normal"});
        until_told("lost the connection to " + first);
        until_told("connected to " + first);
    }
    cluster.node(0).kill();
    until_told("lost the connection to " + first);
    cluster.own_again(tag);
    until_told("every slot of the cluster has an owner");
    CHECK(worker.ask(orphan.view())->allowed);
    cluster.node(0).restart(); // and is no member for a while: it proves itself again, though no caller asks it
    until_told("connected to the cluster: 3 nodes, all slots");
    CHECK(worker.told().size() == expected.size());
}

TEST_CASE("the loop ends with the store, although requests hold permits that a node granted which has left the cluster")
{
    redis_cluster cluster;
    redis_worker worker(settings_for(cluster));
    worker.until_up();
    one_claim const held{*limiter::make_concurrency(2), key_of(cluster.tag_on(2), "held")};
    REQUIRE(worker.ask(held.view())->allowed);
    cluster.node(2).kill();
    cluster.take_slots(2, 0);
    worker.run_until([&] { return counted(worker).nodes == 2; });
    worker.until_up();
    worker.store().stop();
    worker.io().restart();
    worker.io().run_for(10s);
    CHECK(worker.io().stopped()); // there was nothing left to wait for
}

TEST_CASE("stop answers those who wait, and a store may be destroyed while they do")
{
    redis_cluster cluster;
    one_claim const a{bucket(50), key_of(cluster.tag_on(0), "a")};
    one_claim const b{bucket(50), key_of(cluster.tag_on(1), "b")};
    auto const asked = together({&a, &b});
    for (auto const how : {"stopped", "destroyed"}) {
        CAPTURE(how);
        auto worker = std::make_unique<redis_worker>(settings_for(cluster));
        worker->until_up();
        cluster.node(0).pause();
        std::vector<redis_worker::answer> answers;
        for (int i = 0; i < 3; ++i)
            worker->spawn(asked, base::instant::max(), [&](auto const& got) { answers.push_back(got); });
        worker->io().restart();
        worker->io().poll();
        CHECK(answers.empty());
        if (how == std::string("stopped")) {
            worker->store().stop();
            worker->run_until([&] { return answers.size() == 3; });
            worker->io().restart();
            worker->io().run_for(5s);
            CHECK(worker->io().stopped()); // nothing is left that would keep the loop of the worker
        }
        worker.reset();
        CHECK(answers.size() == 3);
        for (auto const& answer : answers) CHECK(answer.error() == limiter::errc::not_connected);
        cluster.node(0).resume();
    }
}

} // namespace penstock::tests
