#include "limiter/counter_table.hpp"

#include <algorithm>
#include <cassert>
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

} // namespace

counter_table::counter_table(std::size_t max_keys) : max_keys_(std::max<std::size_t>(max_keys, 1))
{
    if (!resize(fewest_slots)) throw std::bad_alloc{};
}

// The tag's share of 2^64, of the slots: no division, and any number of slots, not just powers of two.
std::size_t counter_table::home_of(std::uint64_t tag) const noexcept
{
    return static_cast<std::size_t>(wide{tag} * slots_ >> 64);
}

void counter_table::prefetch(std::uint64_t tag) const noexcept { __builtin_prefetch(&table_[home_of(tag)], 1); }

counter_state* counter_table::find(std::uint64_t tag) noexcept
{
    for (auto at = home_of(tag); table_[at].tag != 0; at = after(at)) {
        if (table_[at].tag == tag) return &table_[at].state;
    }
    return nullptr;
}

void counter_table::place(std::uint64_t tag, counter_state state) noexcept
{
    auto at = home_of(tag);
    while (table_[at].tag != 0) at = after(at);
    table_[at] = {tag, state};
    ++size_;
}

bool counter_table::resize(std::size_t slots) noexcept
{
    std::unique_ptr<slot[]> grown{new (std::nothrow) slot[slots]};
    if (!grown) return false;
    auto const old = std::exchange(table_, std::move(grown));
    auto const old_slots = std::exchange(slots_, slots);
    size_ = 0;
    swept_to_ = 0;
    for (std::size_t i = 0; i < old_slots; ++i) {
        if (old[i].tag != 0) place(old[i].tag, old[i].state);
    }
    return true;
}

// Closes the gap: every counter behind it that may stand nearer to its home moves up, so that no probe ends too early and
// no tombstone is needed.
void counter_table::erase(std::size_t at) noexcept
{
    auto gap = at;
    for (auto next = after(gap); table_[next].tag != 0; next = after(next)) {
        if (distance(home_of(table_[next].tag), next) < distance(gap, next)) continue;
        table_[gap] = table_[next];
        gap = next;
    }
    table_[gap] = {};
    --size_;
}

std::size_t counter_table::sweep(std::size_t slots, base::instant now) noexcept
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

void counter_table::drop_one_near(std::size_t home, base::instant now) noexcept
{
    auto at = home;
    auto closest = slots_;
    for (std::size_t looked_at = 0, seen = 0; looked_at < slots_ && seen < neighbours; ++looked_at, at = after(at)) {
        if (table_[at].tag == 0) continue;
        ++seen;
        if (closest == slots_ || table_[at].state.until_us < table_[closest].state.until_us) closest = at;
    }
    if (table_[closest].state.until_us >= base::since_epoch_us(now)) ++evictions_;
    erase(closest);
}

void counter_table::make_room(std::uint64_t tag, base::instant now) noexcept
{
    if (size_ >= max_keys_) return drop_one_near(home_of(tag), now);
    if (size_ < room_in(slots_)) return;
    if (resize(slots_ + slots_ / 2)) return;
    if (size_ + 1 >= slots_) drop_one_near(home_of(tag), now); // one slot stays empty: it ends the probes
}

void counter_table::insert(std::uint64_t tag, counter_state state, base::instant now) noexcept
{
    assert(tag != 0);
    sweep(swept_by_an_insertion, now);
    make_room(tag, now);
    place(tag, state);
}

} // namespace penstock::limiter
