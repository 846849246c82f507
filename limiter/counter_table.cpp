#include "limiter/counter_table.hpp"

#include <algorithm>
#include <cassert>
#include <limits>
#include <new>
#include <utility>

namespace penstock::limiter {
namespace {

__extension__ using wide = unsigned __int128;

constexpr std::size_t fewest_slots = 8;
constexpr std::size_t swept_by_an_insertion = 4;
constexpr std::size_t neighbours = 16; // looked at for one to drop

// At most three quarters full: longer probes would cost more than the memory saved.
constexpr std::size_t room_in(std::size_t slots) noexcept { return slots / 4 * 3; }

constexpr std::size_t bytes_of_weight = 40; // a short counter with its share of empty slots
constexpr std::size_t heap_block = 16;      // what the heap adds to a block

} // namespace

std::size_t weight_of(long_state const& state) noexcept
{
    auto const bytes = sizeof(std::uint64_t) + sizeof state + heap_block + state.words.capacity() * sizeof(std::int64_t);
    return (bytes + bytes_of_weight - 1) / bytes_of_weight;
}

template <typename State>
counter_table<State>::counter_table()
{
    if (!resize(fewest_slots)) throw std::bad_alloc{};
}

// The tag's share of 2^64, of the slots: no division, and any number of slots, not just powers of two.
template <typename State>
std::size_t counter_table<State>::home_of(std::uint64_t tag) const noexcept
{
    return static_cast<std::size_t>(wide{tag} * slots_ >> 64);
}

template <typename State>
void counter_table<State>::prefetch(std::uint64_t tag) const noexcept
{
    __builtin_prefetch(&table_[home_of(tag)], 1);
}

template <typename State>
State* counter_table<State>::find(std::uint64_t tag) noexcept
{
    for (auto at = home_of(tag); table_[at].tag != 0; at = after(at)) {
        if (table_[at].tag == tag) return &table_[at].state;
    }
    return nullptr;
}

template <typename State>
void counter_table<State>::place(std::uint64_t tag, State&& state) noexcept
{
    auto at = home_of(tag);
    while (table_[at].tag != 0) at = after(at);
    weight_ += weight_of(state);
    ++size_;
    table_[at] = {tag, std::move(state)};
}

template <typename State>
bool counter_table<State>::resize(std::size_t slots) noexcept
{
    std::unique_ptr<slot[]> grown{new (std::nothrow) slot[slots]};
    if (!grown) return false;
    auto const old = std::exchange(table_, std::move(grown));
    auto const old_slots = std::exchange(slots_, slots);
    size_ = 0;
    weight_ = 0;
    swept_to_ = 0;
    for (std::size_t i = 0; i < old_slots; ++i) {
        if (old[i].tag != 0) place(old[i].tag, std::move(old[i].state));
    }
    return true;
}

// Closes the gap: every counter behind it that may stand nearer to its home moves up, so that no probe ends too early and
// no tombstone is needed.
template <typename State>
void counter_table<State>::erase(std::size_t at) noexcept
{
    weight_ -= weight_of(table_[at].state);
    --size_;
    auto gap = at;
    for (auto next = after(gap); table_[next].tag != 0; next = after(next)) {
        if (distance(home_of(table_[next].tag), next) < distance(gap, next)) continue;
        table_[gap] = std::move(table_[next]);
        gap = next;
    }
    table_[gap] = {};
}

template <typename State>
std::size_t counter_table<State>::sweep(std::size_t slots, base::instant now) noexcept
{
    auto const now_us = base::since_epoch_us(now);
    std::size_t dropped = 0;
    for (auto left = std::min(slots, slots_); left > 0; --left) {
        // A drop may move another counter into the slot: look again.
        while (table_[swept_to_].tag != 0 && table_[swept_to_].state.until_us < now_us) {
            erase(swept_to_);
            ++dropped;
        }
        swept_to_ = after(swept_to_);
    }
    if (slots_ > fewest_slots && size_ < slots_ / 8) {
        // Without memory for a smaller table the large one goes on serving.
        static_cast<void>(resize(std::max(fewest_slots, size_ * 2)));
    }
    return dropped;
}

template <typename State>
void counter_table<State>::drop_one_near(std::uint64_t tag, base::instant now) noexcept
{
    auto at = home_of(tag);
    auto closest = slots_;
    auto until_us = std::numeric_limits<std::int64_t>::max();
    for (std::size_t looked_at = 0, seen = 0; looked_at < slots_; ++looked_at, at = after(at)) {
        if (seen >= neighbours && until_us < held_until_us) break;
        if (table_[at].tag == 0 || table_[at].tag == tag) continue;
        ++seen;
        if (table_[at].state.until_us >= until_us) continue;
        closest = at;
        until_us = table_[at].state.until_us;
    }
    if (until_us >= base::since_epoch_us(now)) ++evictions_;
    erase(closest);
}

template <typename State>
void counter_table<State>::shrink_to(std::size_t weight, std::uint64_t tag, base::instant now) noexcept
{
    if (weight_ <= weight) return;
    std::size_t const stays = find(tag) ? 1 : 0;
    while (weight_ > weight && size_ > stays) drop_one_near(tag, now);
}

template <typename State>
void counter_table<State>::make_room(std::uint64_t tag, base::instant now) noexcept
{
    if (size_ < room_in(slots_)) return;
    if (resize(slots_ + slots_ / 2)) return;
    if (size_ + 1 >= slots_) drop_one_near(tag, now); // one slot stays empty: it ends the probes
}

template <typename State>
void counter_table<State>::insert(std::uint64_t tag, State state, base::instant now) noexcept
{
    assert(tag != 0);
    sweep(swept_by_an_insertion, now);
    make_room(tag, now);
    place(tag, std::move(state));
}

// What a state weighs beyond a slot lies elsewhere.
template <typename State>
std::size_t counter_table<State>::bytes() const noexcept
{
    return slots_ * sizeof(slot) + (weight_ - size_) * bytes_of_weight;
}

template class counter_table<counter_state>;
template class counter_table<long_state>;

} // namespace penstock::limiter
