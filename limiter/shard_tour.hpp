// One request's way through the shards of its limits: where only sharded limits refuse, each of them is asked for in its next
// shard, until the request passes or one of them has refused in all. Then the caller waits for the shard that is first.
// Called by fleet_front; knows no store and no time. Pure.
#pragma once

#include "limiter/claim.hpp"

#include <array>
#include <cstdint>
#include <span>

namespace penstock::limiter {

// Whether this claim names a shard of its limit.
inline bool is_sharded(claim const& asked) noexcept
{
    auto const& shards = asked.policy->quota.shards;
    return !shards.empty() && asked.numbers == &shards[asked.shard];
}

class shard_tour {
public:
    explicit shard_tour(std::span<claim const> asked) noexcept : claims_(asked.begin(), asked.end()) {}

    // To be asked next.
    [[nodiscard]] std::span<claim const> claims() const noexcept { return claims_; }

    // `said` refused claims(). Moves every claim that refused to its next shard; false if that cannot help.
    bool move_on(verdict const& said) noexcept;

    // `found` answered claims(): says of each limit how far its shard is from the one asked for first.
    void say_where(verdict& found) const noexcept;

    // `last` is the final refusal: waits become the shortest of each limit's shards.
    void shorten_waits(verdict& last) const noexcept;

private:
    struct tried {
        std::uint8_t shards = 0;
        base::micros retry_after = never; // the shortest
    };

    limiter::claims claims_;
    std::array<tried, max_claims> tried_{};
};

} // namespace penstock::limiter
