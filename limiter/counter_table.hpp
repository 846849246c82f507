// Counters by 64-bit tag: open addressing, linear probing, 24 bytes a slot. Knows tags, states and the time it is handed;
// not keys, policies, locks or clocks. Bounded: at `max_keys` an insertion drops the counter closest to untouched among its
// neighbours. Starts tiny, grows by half, shrinks when mostly empty. Not thread safe; a stripe of memory_store owns each.
#pragma once

#include "limiter/algorithm.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>

namespace penstock::limiter {

class counter_table {
public:
    // Throws std::bad_alloc; nothing later does.
    explicit counter_table(std::size_t max_keys);

    // The state under `tag`, or null. Valid until the next insert() or sweep(). `tag` is never 0.
    [[nodiscard]] counter_state* find(std::uint64_t tag) noexcept;
    // Starts to bring the memory of `tag` near, for a find() soon.
    void prefetch(std::uint64_t tag) const noexcept;

    // Adds a tag that is not in the table. Drops expired counters that it comes across, and at the bound one counter that is
    // still needed. Without memory to grow, the bound is what there is.
    void insert(std::uint64_t tag, counter_state state, base::instant now) noexcept;

    // Drops what has expired in the next `slots` slots, going round the table call by call. Returns how many went.
    std::size_t sweep(std::size_t slots, base::instant now) noexcept;

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t slots() const noexcept { return slots_; }
    [[nodiscard]] std::size_t bytes() const noexcept { return slots_ * sizeof(slot); }
    [[nodiscard]] std::uint64_t evictions() const noexcept { return evictions_; } // dropped before their time

private:
    struct slot {
        std::uint64_t tag = 0; // 0: empty
        counter_state state;
    };

    [[nodiscard]] std::size_t home_of(std::uint64_t tag) const noexcept;
    [[nodiscard]] std::size_t after(std::size_t at) const noexcept { return at + 1 == slots_ ? 0 : at + 1; }
    [[nodiscard]] std::size_t distance(std::size_t from, std::size_t to) const noexcept
    {
        return to >= from ? to - from : to + slots_ - from;
    }
    [[nodiscard]] bool resize(std::size_t slots) noexcept;
    void place(std::uint64_t tag, counter_state state) noexcept;
    void erase(std::size_t at) noexcept;
    void make_room(std::uint64_t tag, base::instant now) noexcept;
    void drop_one_near(std::size_t home, base::instant now) noexcept;

    std::unique_ptr<slot[]> table_;
    std::size_t slots_ = 0;
    std::size_t size_ = 0;
    std::size_t max_keys_;
    std::size_t swept_to_ = 0; // where the next sweep goes on
    std::uint64_t evictions_ = 0;
};

} // namespace penstock::limiter
