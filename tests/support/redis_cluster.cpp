#include "tests/support/redis_cluster.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <thread>

namespace penstock::tests {
namespace {

using limiter::redis::slot_count;
using limiter::redis::slot_of;

std::unique_ptr<redis_server> start_node()
{
    std::vector<std::string> const mode{"--cluster-enabled",      "yes",  "--cluster-config-file",           "nodes.conf",
                                        "--cluster-node-timeout", "2000", "--cluster-require-full-coverage", "no"};
    return std::make_unique<redis_server>(mode);
}

void require_ok(std::string const& reply)
{
    if (reply != "OK") throw std::runtime_error("the cluster says " + reply);
}

template <typename Condition>
void wait_until(Condition const& reached)
{
    auto const until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!reached()) {
        if (std::chrono::steady_clock::now() > until) throw std::runtime_error("the cluster does not become as it should be");
        std::this_thread::yield();
    }
}

} // namespace

redis_cluster::redis_cluster() : owners_(slot_count)
{
    for (std::size_t i = 0; i < size; ++i) {
        nodes_.push_back(start_node());
        ids_.push_back(node(i).command({"CLUSTER", "MYID"}));
        auto const first = slot_count * i / size;
        auto const end = slot_count * (i + 1) / size;
        for (auto slot = first; slot < end; ++slot) owners_[slot] = i;
        std::vector<std::string> words{"CLUSTER", "ADDSLOTS"};
        for (auto slot = first; slot < end; ++slot) words.push_back(std::to_string(slot));
        require_ok(node(i).command(words));
        require_ok(node(i).command({"CLUSTER", "SET-CONFIG-EPOCH", std::to_string(i + 1)}));
        if (i > 0) require_ok(node(i).command({"CLUSTER", "MEET", "127.0.0.1", std::to_string(node(0).port())}));
    }
    wait_until([this] { return all_say("cluster_state:ok") && all_say("cluster_slots_assigned:16384"); });
}

bool redis_cluster::all_say(std::string const& of_info) const
{
    return std::ranges::all_of(nodes_, [&](auto const& each) {
        return each->command({"CLUSTER", "INFO"}).find(of_info) != std::string::npos;
    });
}

std::string redis_cluster::tag_on(std::size_t index, int nth) const
{
    for (int number = 0;; ++number) {
        auto tag = "{caller-" + std::to_string(number) + "}";
        if (owner_index(tag) == index && nth-- == 0) return tag;
    }
}

std::int64_t redis_cluster::calls(std::string const& what) const
{
    std::int64_t total = 0;
    for (auto const& each : nodes_) total += each->calls(what);
    return total;
}

void redis_cluster::reset_calls() const
{
    for (auto const& each : nodes_) each->command({"CONFIG", "RESETSTAT"});
}

void redis_cluster::begin_move(std::string_view key, std::size_t target)
{
    auto const slot = std::to_string(slot_of(key));
    auto const source = owner_index(key);
    require_ok(node(target).command({"CLUSTER", "SETSLOT", slot, "IMPORTING", ids_[source]}));
    require_ok(node(source).command({"CLUSTER", "SETSLOT", slot, "MIGRATING", ids_[target]}));
}

void redis_cluster::move_key(std::string const& key, std::size_t target)
{
    require_ok(owner_of(key).command({"MIGRATE", "127.0.0.1", std::to_string(node(target).port()), key, "0", "5000"}));
}

void redis_cluster::end_move(std::string_view key, std::size_t target)
{
    auto const slot = std::to_string(slot_of(key));
    auto const source = owner_index(key);
    require_ok(node(target).command({"CLUSTER", "SETSLOT", slot, "NODE", ids_[target]}));
    require_ok(node(source).command({"CLUSTER", "SETSLOT", slot, "NODE", ids_[target]}));
    owners_[slot_of(key)] = target;
}

void redis_cluster::take_slots(std::size_t from, std::size_t target)
{
    std::vector<std::string> slots;
    for (std::size_t slot = 0; slot < slot_count; ++slot) {
        if (owners_[slot] != from) continue;
        slots.push_back(std::to_string(slot));
        owners_[slot] = target;
    }
    auto const with = [&slots](std::string const& what) {
        std::vector<std::string> words{"CLUSTER", what};
        words.insert(words.end(), slots.begin(), slots.end());
        return words;
    };
    for (std::size_t i = 0; i < size; ++i)
        if (i != from) require_ok(node(i).command(with("DELSLOTS")));
    require_ok(node(target).command(with("ADDSLOTS")));
}

// The owner first: what it has told of the slot before may still arrive at the others.
void redis_cluster::disown(std::string_view key)
{
    auto const slot = std::to_string(slot_of(key));
    require_ok(owner_of(key).command({"CLUSTER", "DELSLOTS", slot}));
    wait_until([&] {
        for (auto const& each : nodes_) each->command({"CLUSTER", "DELSLOTS", slot}); // refused where it is done
        return all_say("cluster_slots_assigned:16383");
    });
}

void redis_cluster::own_again(std::string_view key)
{
    require_ok(owner_of(key).command({"CLUSTER", "ADDSLOTS", std::to_string(slot_of(key))}));
}

} // namespace penstock::tests
