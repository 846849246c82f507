// Counters by 64-bit tag: open addressing, linear probing; 24 bytes a slot for short states, 40 for long ones and what they
// refer to. Knows tags, states and the time it is handed; not keys, policies, locks, clocks or how many counters there may be:
// its owner asks it to shrink_to() a weight. Starts tiny, grows by half, shrinks when mostly empty. Not thread safe; a stripe of
// memory_store owns two, one for each kind of state.
#pragma once

#include "limiter/algorithm.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>

namespace penstock::limiter {

// In short counters: how many of them take as much memory.
constexpr std::size_t weight_of(counter_state const&) noexcept { return 1; }
std::size_t weight_of(long_state const& state) noexcept;

// State: counter_state or long_state.
template <typename State>
class counter_table {
public:
    // Throws std::bad_alloc; nothing later does.
    counter_table();

    // The state under `tag`, or null. Valid until the next insert(), sweep() or shrink_to(). `tag` is never 0.
    [[nodiscard]] State* find(std::uint64_t tag) noexcept;
    // Starts to bring the memory of `tag` near, for a find() soon.
    void prefetch(std::uint64_t tag) const noexcept;

    // Adds a tag that is not in the table. Drops expired counters that it comes across, and without memory to grow one counter
    // that is still needed.
    void insert(std::uint64_t tag, State state, base::instant now) noexcept;

    // A state that was found weighed `before` and has been changed.
    void reweigh(std::size_t before, State const& changed) noexcept { weight_ += weight_of(changed) - before; }

    // Drops counters until all together weigh at most `weight`, or only the one under `tag` is left: near its home, those
    // closest to untouched first, and permits that are held last.
    void shrink_to(std::size_t weight, std::uint64_t tag, base::instant now) noexcept;

    // Drops what has expired in the next `slots` slots, going round the table call by call. Returns how many went.
    std::size_t sweep(std::size_t slots, base::instant now) noexcept;

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t weight() const noexcept { return weight_; }
    [[nodiscard]] std::size_t slots() const noexcept { return slots_; }
    [[nodiscard]] std::size_t bytes() const noexcept;
    [[nodiscard]] std::uint64_t evictions() const noexcept { return evictions_; } // dropped before their time

private:
    struct slot {
        std::uint64_t tag = 0; // 0: empty
        State state;
    };

    [[nodiscard]] std::size_t home_of(std::uint64_t tag) const noexcept;
    [[nodiscard]] std::size_t after(std::size_t at) const noexcept { return at + 1 == slots_ ? 0 : at + 1; }
    [[nodiscard]] std::size_t distance(std::size_t from, std::size_t to) const noexcept
    {
        return to >= from ? to - from : to + slots_ - from;
    }
    [[nodiscard]] bool resize(std::size_t slots) noexcept;
    void place(std::uint64_t tag, State&& state) noexcept;
    void erase(std::size_t at) noexcept;
    void make_room(std::uint64_t tag, base::instant now) noexcept;
    void drop_one_near(std::uint64_t tag, base::instant now) noexcept;

    std::unique_ptr<slot[]> table_;
    std::size_t slots_ = 0;
    std::size_t size_ = 0;
    std::size_t weight_ = 0;   // of all states
    std::size_t swept_to_ = 0; // where the next sweep goes on
    std::uint64_t evictions_ = 0;
};

extern template class counter_table<counter_state>;
extern template class counter_table<long_state>;

} // namespace penstock::limiter
