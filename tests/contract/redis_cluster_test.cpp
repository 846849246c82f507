// cluster_store on a real cluster of three nodes: slots, redirections, keys on their way. Trouble: redis_cluster_trouble_test.cpp.
#include "tests/contract/redis_cluster_worker.hpp"

#include <boost/asio/steady_timer.hpp>
#include <doctest/doctest.h>

namespace penstock::tests {

using namespace std::chrono_literals;

TEST_CASE("a cluster is learnt from any of its nodes; each claim goes to the node of its slot, on one connection each")
{
    redis_cluster cluster;
    redis_worker worker(settings_for(cluster));
    worker.until_up();
    CHECK(counted(worker).nodes == 3);
    cluster.reset_calls();
    for (std::size_t i = 0; i < redis_cluster::size; ++i) {
        for (int nth = 0; nth < 5; ++nth) {
            one_claim const one{bucket(10), key_of(cluster.tag_on(i, nth), "one")};
            auto const before = cluster.node(i).calls("evalsha") + cluster.node(i).calls("eval");
            CHECK(worker.ask(one.view())->decisions[0].remaining == 9);
            CHECK(cluster.node(i).calls("evalsha") + cluster.node(i).calls("eval") > before);
        }
    }
    CHECK(counted(worker).moved == 0);
    CHECK(counted(worker).split == 0);
    CHECK(worker.store().count().connects == 3);
}

TEST_CASE("the first request does not fail because the slots are still being learnt")
{
    redis_cluster cluster;
    redis_worker worker(settings_for(cluster));
    one_claim const one{bucket(10), key_of(cluster.tag_on(2), "one")};
    auto const answer = worker.ask(one.view());
    REQUIRE(answer.has_value());
    CHECK(answer->decisions[0].remaining == 9);
}

TEST_CASE("limits of several slots: one call each, all or nothing")
{
    redis_cluster cluster;
    redis_worker worker(settings_for(cluster));
    worker.until_up();
    one_claim const a{bucket(10), key_of(cluster.tag_on(0), "a")};
    one_claim const b{bucket(10), key_of(cluster.tag_on(1), "b")};
    one_claim const also_a{*limiter::make_fixed_window(10, 1h), key_of(cluster.tag_on(0), "w")};
    one_claim const scarce{bucket(2), key_of(cluster.tag_on(2), "scarce")};
    auto const asked = together({&a, &b, &also_a, &scarce});
    for (int left = 1; left >= 0; --left) {
        auto const answer = worker.ask(asked);
        REQUIRE(answer.has_value());
        CHECK(answer->allowed);
        CHECK(answer->decisions[0].remaining == 8 + left);
        CHECK(answer->decisions[1].remaining == 8 + left);
        CHECK(answer->decisions[2].remaining == 8 + left);
        CHECK(answer->decisions[3].remaining == left);
    }
    cluster.reset_calls();
    auto const refused = worker.ask(asked);
    REQUIRE(refused.has_value());
    CHECK_FALSE(refused->allowed);
    CHECK_FALSE(refused->decisions[3].allowed);
    CHECK(refused->decisions[3].retry_after > 0s);
    CHECK(refused->decisions[0].allowed);
    CHECK(refused->decisions[0].remaining == 8);
    CHECK(refused->decisions[2].remaining == 8);
    // What the others took is back: three charges, each by a call of its own.
    until_remaining(worker, a, 8);
    until_remaining(worker, b, 8);
    until_remaining(worker, also_a, 8);
    CHECK(counted(worker).given_back == 3);
    CHECK(counted(worker).split == 3);
    CHECK(worker.store().count().errors == decltype(limiter::redis::node_counts::errors){});
}

TEST_CASE("MOVED is followed within the request, remembered, and the slots are learnt anew")
{
    redis_cluster cluster;
    redis_worker worker(settings_for(cluster));
    worker.until_up();
    one_claim const one{bucket(10), key_of(cluster.tag_on(0), "one")};
    auto const key = std::string(one.claim.key.view());
    REQUIRE(worker.ask(one.view()).has_value());
    auto const refreshes = counted(worker).refreshes;
    cluster.begin_move(key, 1);
    cluster.move_key(key, 1);
    cluster.end_move(key, 1);
    CHECK(worker.ask(one.view())->decisions[0].remaining == 8);
    CHECK(counted(worker).moved == 1);
    CHECK(worker.ask(one.view())->decisions[0].remaining == 7);
    CHECK(counted(worker).moved == 1);
    worker.run_until([&] { return counted(worker).refreshes > refreshes; });
    CHECK(counted(worker).nodes == 3);
    CHECK(worker.ask(one.view())->decisions[0].remaining == 6);
    CHECK(worker.store().count().breaker_state == 0);
}

TEST_CASE("ASK is followed without believing that the slot has moved; a counter that has not been there begins at the target")
{
    redis_cluster cluster;
    redis_worker worker(settings_for(cluster));
    worker.until_up();
    auto const tag = cluster.tag_on(0);
    one_claim const moved{bucket(10), key_of(tag, "moved")};
    one_claim const stays{bucket(10), key_of(tag, "stays")};
    one_claim const fresh{bucket(10), key_of(tag, "fresh")};
    REQUIRE(worker.ask(moved.view()).has_value());
    REQUIRE(worker.ask(stays.view()).has_value());
    cluster.begin_move(tag, 1);
    cluster.move_key(key_of(tag, "moved"), 1);
    cluster.node(1).command({"SCRIPT", "FLUSH"}); // NOSCRIPT behind ASKING: asked once more, with it
    CHECK(worker.ask(moved.view())->decisions[0].remaining == 8);
    CHECK(worker.ask(fresh.view())->decisions[0].remaining == 9);
    CHECK(counted(worker).asked == 2);
    CHECK(worker.ask(stays.view())->decisions[0].remaining == 8);
    CHECK(counted(worker).asked == 2);
    CHECK(counted(worker).moved == 0);
    CHECK(cluster.node(1).calls("asking") == 3);
}

TEST_CASE("TRYAGAIN: keys of one request in two places are asked about one by one, still all or nothing")
{
    redis_cluster cluster;
    redis_worker worker(settings_for(cluster));
    worker.until_up();
    auto const tag = cluster.tag_on(0);
    one_claim const here{bucket(10), key_of(tag, "here")};
    one_claim const there{bucket(3), key_of(tag, "there")};
    one_claim const elsewhere{bucket(10), key_of(cluster.tag_on(2), "elsewhere")};
    auto const asked = together({&here, &there, &elsewhere});
    REQUIRE(worker.ask(asked).has_value());
    cluster.begin_move(tag, 1);
    cluster.move_key(key_of(tag, "there"), 1);
    for (int left = 1; left >= 0; --left) {
        auto const answer = worker.ask(asked);
        REQUIRE(answer.has_value());
        CHECK(answer->allowed);
        CHECK(answer->decisions[0].remaining == 7 + left);
        CHECK(answer->decisions[1].remaining == left);
        CHECK(answer->decisions[2].remaining == 7 + left);
    }
    CHECK(counted(worker).tried_again == 4); // each of them once more after a millisecond
    auto const refused = worker.ask(asked);
    REQUIRE(refused.has_value());
    CHECK_FALSE(refused->allowed);
    CHECK_FALSE(refused->decisions[1].allowed);
    until_remaining(worker, here, 7);
    until_remaining(worker, elsewhere, 7);
    CHECK(worker.store().count().errors == decltype(limiter::redis::node_counts::errors){});
}

TEST_CASE("no request meets CROSSSLOT, with packed buckets, shards of a limit and many identities")
{
    redis_cluster cluster;
    redis_worker worker(settings_for(cluster));
    worker.until_up();
    for (int round = 0; round < 50; ++round) {
        std::vector<std::unique_ptr<one_claim>> all;
        limiter::claims asked;
        for (int i = 0; i < 8; ++i) {
            auto const tag = "{caller-" + std::to_string((round * 7 + i / 2) % 23) + "}";
            all.push_back(std::make_unique<one_claim>(bucket(1000), key_of(tag, "limit" + std::to_string(i))));
            if (i < 4) all.back()->policy.packed_id = static_cast<std::uint32_t>(i + 1);
            all.back()->claim.identity_end = static_cast<std::uint8_t>(3 + tag.size());
            asked.push_back(all.back()->claim);
        }
        auto const answer = worker.ask(asked);
        REQUIRE(answer.has_value());
        CHECK(answer->allowed);
    }
    CHECK(counted(worker).split == 50);
    CHECK(worker.store().count().errors == decltype(limiter::redis::node_counts::errors){});
}

TEST_CASE("permits are held, renewed and given back where their key is, also after it has moved")
{
    redis_cluster cluster;
    redis_worker worker(settings_for(cluster));
    redis_worker other(settings_for(cluster));
    worker.until_up();
    other.until_up();
    auto const tag = cluster.tag_on(0);
    one_claim const held{*limiter::make_concurrency(2), key_of(tag, "held")};
    auto const first = worker.ask(held.view());
    REQUIRE(first.has_value());
    REQUIRE(first->allowed);
    cluster.begin_move(tag, 1);
    cluster.move_key(key_of(tag, "held"), 1);
    cluster.end_move(tag, 1);
    // Beyond the lapse of what nobody renews: the worker renews at the new node.
    boost::asio::steady_timer lapsed(worker.io());
    auto done = false;
    lapsed.expires_after(limiter::redis::permit_lapse + 500ms);
    lapsed.async_wait([&](auto) { done = true; });
    worker.run_until([&] { return done; });
    auto const second = other.ask(held.view());
    REQUIRE(second.has_value());
    CHECK(second->allowed);
    CHECK_FALSE(other.ask(held.view())->allowed);
    worker.store().give_back(held.claim, {.cost = 1, .at = first->now, .reset_after = {}});
    auto const limit = base::clock::now() + 10s;
    for (auto passes = false; !passes;) {
        REQUIRE(base::clock::now() < limit);
        worker.io().restart();
        worker.io().run_for(20ms);
        passes = other.ask(held.view())->allowed;
    }
}

TEST_CASE("of a request that is refused in another slot no permit stays held")
{
    redis_cluster cluster;
    redis_worker worker(settings_for(cluster));
    worker.until_up();
    one_claim const held{*limiter::make_concurrency(1), key_of(cluster.tag_on(0), "held")};
    one_claim const exhausted{bucket(1), key_of(cluster.tag_on(1), "exhausted")};
    REQUIRE(worker.ask(exhausted.view())->allowed);
    for (int i = 0; i < 5; ++i) CHECK_FALSE(worker.ask(together({&held, &exhausted}))->allowed);
    auto const limit = base::clock::now() + 10s;
    while (!worker.ask(held.view())->allowed) REQUIRE(base::clock::now() < limit);
}

TEST_CASE("the least rights of docs/redis.md are enough in a cluster")
{
    redis_cluster cluster;
    for (std::size_t i = 0; i < redis_cluster::size; ++i)
        cluster.node(i).command({"ACL", "SETUSER", "gate", "on", ">secret", "~rl:*", "+ping", "+evalsha", "+eval", "+time",
                                 "+get", "+mget", "+set", "+incrby", "+append", "+del", "+cluster|slots", "+asking"});
    auto wanted = settings_for(cluster);
    wanted.user = "gate";
    wanted.password = "secret";
    redis_worker worker(wanted);
    worker.until_up();
    auto const tag = cluster.tag_on(0);
    one_claim const one{bucket(10), key_of(tag, "one")};
    one_claim const other{bucket(1), key_of(cluster.tag_on(1), "other")};
    REQUIRE(worker.ask(together({&one, &other})).has_value());
    CHECK_FALSE(worker.ask(together({&one, &other}))->allowed);
    until_remaining(worker, one, 9);
    cluster.begin_move(tag, 2);
    cluster.move_key(key_of(tag, "one"), 2);
    CHECK(worker.ask(one.view())->decisions[0].remaining == 8);
    CHECK(counted(worker).asked >= 1);
    CHECK(worker.store().count().errors == decltype(limiter::redis::node_counts::errors){});
}

} // namespace penstock::tests
