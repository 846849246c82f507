// A Redis Cluster of the test's own: three primaries that share the slots, each a redis-server in cluster mode on loopback.
#pragma once

#include "limiter/redis/cluster_slot.hpp"
#include "tests/support/redis_server.hpp"

#include <memory>
#include <string>
#include <vector>

namespace penstock::tests {

class redis_cluster {
public:
    static constexpr std::size_t size = 3;

    // Returns when every node knows every other and all slots are served.
    redis_cluster();

    [[nodiscard]] redis_server& node(std::size_t index) { return *nodes_[index]; }
    [[nodiscard]] redis_server& owner_of(std::string_view key) { return node(owner_index(key)); }
    [[nodiscard]] std::size_t owner_index(std::string_view key) const { return owners_[limiter::redis::slot_of(key)]; }
    // "PREFIX{n}SUFFIX", in a slot of that node; another one for each `nth`.
    [[nodiscard]] std::string tag_on(std::size_t index, int nth = 0) const;
    // Calls of a command by all nodes.
    [[nodiscard]] std::int64_t calls(std::string const& what) const;
    void reset_calls() const;

    // The slot of a key is on its way to `target`; its keys move by move_key().
    void begin_move(std::string_view key, std::size_t target);
    void move_key(std::string const& key, std::size_t target);
    // The slot has moved.
    void end_move(std::string_view key, std::size_t target);
    // All slots of a dead node are another's, without their keys.
    void take_slots(std::size_t from, std::size_t target);
    // Nobody has the slot of a key any more; its former owner has it again.
    void disown(std::string_view key);
    void own_again(std::string_view key);

private:
    [[nodiscard]] bool all_say(std::string const& of_info) const;

    std::vector<std::unique_ptr<redis_server>> nodes_;
    std::vector<std::string> ids_;
    std::vector<std::size_t> owners_; // by slot
};

} // namespace penstock::tests
