// Which node of a cluster owns which slot, as one worker last heard of it: from CLUSTER SLOTS all of them, from a MOVED one.
// Knows addresses, no connection. Pure.
#pragma once

#include "limiter/redis/cluster_slot.hpp"
#include "limiter/redis/redis_settings.hpp"
#include "limiter/redis/reply_tokens.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace penstock::limiter::redis {

class slot_map {
public:
    using node_index = std::uint16_t;
    static constexpr node_index nobody = 0xffff;
    static constexpr std::size_t most_nodes = 1024; // of each kind: no cluster is larger

    slot_map() noexcept { owner_.fill(nobody); }

    // From the reply to CLUSTER SLOTS; `from` is who said it, for nodes that are told without a host. Nothing if it is none.
    static std::optional<slot_map> read(std::span<reply_token const> slots, redis_address const& from);

    // The owner of a slot, as an index into primaries(), or nobody.
    [[nodiscard]] node_index owner_of(cluster_slot slot) const noexcept { return owner_[slot]; }
    [[nodiscard]] std::span<redis_address const> primaries() const noexcept { return primaries_; }
    [[nodiscard]] std::span<redis_address const> replicas() const noexcept { return replicas_; } // good for questions only
    struct gap {
        std::size_t count = 0;  // of slots without an owner
        cluster_slot first = 0; // of these, if any
        friend bool operator==(gap const&, gap const&) = default;
    };
    [[nodiscard]] gap unowned() const noexcept;
    [[nodiscard]] bool covers_all() const noexcept { return unowned().count == 0; }

    // One slot has another owner, who may be new. False if there is no room for one more.
    bool move(cluster_slot slot, redis_address const& to);

private:
    [[nodiscard]] node_index find_or_add(redis_address const& primary);

    std::array<node_index, slot_count> owner_;
    std::vector<redis_address> primaries_;
    std::vector<redis_address> replicas_;
};

} // namespace penstock::limiter::redis
