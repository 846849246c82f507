#include "limiter/waiting_room.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <random>
#include <unordered_map>
#include <utility>
#include <vector>

namespace penstock::limiter {
namespace {

constexpr std::size_t stripe_count = 64; // a power of two

struct entry {
    std::shared_ptr<waiter> who;
    std::int64_t permits = 0;
    algorithm numbers; // that it asks by; a reload brings others
};
using entries_by_number = std::map<std::uint64_t, entry>;
using callees = std::vector<std::shared_ptr<waiter>>;

base::hash_key random_hash_key()
{
    std::random_device random;
    auto const word = [&random] { return std::uint64_t{random()} << 32 | random(); };
    return {word(), word()};
}

// Shadow limits refuse nobody, and a claim without cost is never refused: neither waits.
bool can_wait(claim const& asked) noexcept
{
    auto const& limit = *asked.policy;
    return limit.queue.limit > 0 && limit.enforce == enforcement::enforce && asked.cost > 0;
}

} // namespace

// Of one key. Never empty but while its stripe is locked.
struct waiting_room::queue {
    entries_by_number entries;
    std::int64_t permits = 0; // of all entries
    queue_order order = queue_order::oldest_first;
    bool mixed = false; // who waits here does not ask by the same numbers, or did not at some time
    last_refusal told;

    // Somebody is to be served before `number`. Who asks by other numbers is in nobody's way: the old ones may refuse what
    // the new ones allow.
    [[nodiscard]] bool is_ahead_of(std::uint64_t number, algorithm const& numbers) const
    {
        auto const before = [&](entries_by_number::value_type const& each) {
            return (order == queue_order::oldest_first ? each.first < number : each.first > number) &&
                   each.second.numbers == numbers;
        };
        if (mixed) return std::any_of(entries.begin(), entries.end(), before);
        return before(order == queue_order::oldest_first ? *entries.begin() : *entries.rbegin());
    }

    // Whose turn it is: one, or one for each sort of numbers.
    [[nodiscard]] callees next() const
    {
        callees whose_turn;
        if (!mixed) {
            whose_turn.push_back(order == queue_order::oldest_first ? entries.begin()->second.who
                                                                    : entries.rbegin()->second.who);
            return whose_turn;
        }
        for (auto const& [number, one] : entries)
            if (!is_ahead_of(number, one.numbers)) whose_turn.push_back(one.who);
        return whose_turn;
    }

    void add(std::uint64_t number, std::shared_ptr<waiter> who, claim const& where)
    {
        mixed = mixed || (!entries.empty() && entries.begin()->second.numbers != where.algorithm());
        entries.emplace(number, entry{std::move(who), where.cost, where.algorithm()});
        permits += where.cost;
    }

    std::shared_ptr<waiter> remove(entries_by_number::iterator who)
    {
        permits -= who->second.permits;
        auto removed = std::move(who->second.who);
        entries.erase(who);
        return removed;
    }

    // Takes the oldest out until `cost` more permits fit below `limit`; nobody, if they would not fit even then.
    callees push_out(claim const& newcomer, std::uint64_t number)
    {
        auto const most_left = newcomer.policy->queue.limit - newcomer.cost;
        auto left = permits;
        auto stays = entries.begin();
        for (; left > most_left && stays != entries.end() && stays->first < number; ++stays) left -= stays->second.permits;
        callees out;
        if (left > most_left) return out;
        while (entries.begin() != stays) out.push_back(remove(entries.begin()));
        return out;
    }

    [[nodiscard]] bool has_room_for(claim const& newcomer) const noexcept
    {
        return newcomer.policy->queue.limit - newcomer.cost >= permits;
    }
};

// On cache lines of its own: two threads on neighbouring stripes do not disturb each other.
struct alignas(64) waiting_room::stripe {
    mutable std::mutex mutex;
    std::unordered_map<std::uint64_t, queue> queues; // by the tag of the key, as in memory_store
};

struct waiting_room::place {
    waiting_room::stripe& stripe;
    std::uint64_t tag;
};

waiting_room::waiting_room(std::size_t most_waiters)
    : hash_key_(random_hash_key()), most_waiters_(most_waiters), stripes_(new stripe[stripe_count])
{}

waiting_room::~waiting_room() = default;

waiting_room::place waiting_room::place_of(partition::partition_key const& key) const noexcept
{
    auto const tag = base::sip_hash<1, 3>(hash_key_, key.view());
    return {stripes_[tag & (stripe_count - 1)], tag};
}

bool waiting_room::take_place() noexcept
{
    // Sequentially consistent, as `releases_`: see enter() and released().
    if (waiting_.fetch_add(1) < most_waiters_) return true;
    waiting_.fetch_sub(1);
    return false;
}

std::optional<std::size_t> waiting_room::find_ahead(std::span<claim const> asked, std::uint64_t number) const
{
    if (waiting() == 0) return std::nullopt;
    for (std::size_t i = 0; i < asked.size(); ++i) {
        if (!can_wait(asked[i])) continue;
        auto const at = place_of(asked[i].key);
        std::lock_guard const held{at.stripe.mutex};
        auto const found = at.stripe.queues.find(at.tag);
        if (found != at.stripe.queues.end() && found->second.is_ahead_of(number, asked[i].algorithm())) return i;
    }
    return std::nullopt;
}

waiting_room::entrance waiting_room::enter_behind(claim const& where, visitor& who)
{
    auto const at = place_of(where.key);
    std::lock_guard const held{at.stripe.mutex};
    auto const found = at.stripe.queues.find(at.tag);
    if (found == at.stripe.queues.end() || !found->second.is_ahead_of(who.number, where.algorithm()))
        return entrance::nobody_ahead;
    auto& line = found->second;
    who.refusal = line.told;
    if (line.entries.contains(who.number)) return entrance::entered;
    if (!line.has_room_for(where) || !take_place()) return entrance::full;
    line.add(who.number, who.who, where);
    return entrance::entered;
}

waiting_room::entrance waiting_room::enter(claim const& where, visitor& who, last_refusal const& told)
{
    who.refusal = told;
    if (where.cost > where.policy->queue.limit) return entrance::full;
    callees pushed_out;
    callees turned; // next, because the order is another one since a reload
    {
        auto const at = place_of(where.key);
        std::lock_guard const held{at.stripe.mutex};
        auto const found = at.stripe.queues.find(at.tag);
        if (found != at.stripe.queues.end()) {
            auto& line = found->second;
            line.told = told;
            if (line.entries.contains(who.number)) return entrance::entered;
            auto const before = std::exchange(line.order, where.policy->queue.order);
            if (line.order != before) turned = line.next();
            if (!line.has_room_for(where) && line.order == queue_order::newest_first)
                pushed_out = line.push_out(where, who.number);
            if (!line.has_room_for(where)) return entrance::full;
        }
        if (!pushed_out.empty())
            waiting_ -= pushed_out.size() - 1; // their places are the newcomer's
        else if (!take_place())
            return entrance::full;
        auto& line = at.stripe.queues[at.tag];
        line.told = told;
        line.order = where.policy->queue.order;
        line.add(who.number, who.who, where);
    }
    for (auto const& each : turned) each->call(waiter::reason::turn);
    for (auto const& each : pushed_out) each->call(waiter::reason::pushed_out);
    // Either a release after the visitor was refused is seen here, or the releaser has seen that somebody waits.
    if (releases_.load() != who.releases_seen) who.who->call(waiter::reason::turn);
    return entrance::entered;
}

void waiting_room::leave(claim const& where, visitor& who)
{
    callees next;
    {
        auto const at = place_of(where.key);
        std::lock_guard const held{at.stripe.mutex};
        auto const found = at.stripe.queues.find(at.tag);
        if (found == at.stripe.queues.end()) return;
        auto& line = found->second;
        who.refusal = line.told;
        auto const mine = line.entries.find(who.number);
        if (mine == line.entries.end()) return; // pushed out
        auto const was_next = !line.is_ahead_of(who.number, mine->second.numbers);
        line.remove(mine);
        --waiting_;
        if (line.entries.empty())
            at.stripe.queues.erase(found);
        else if (was_next)
            next = line.next();
    }
    for (auto const& each : next) each->call(waiter::reason::turn);
}

void waiting_room::released(partition::partition_key const& key)
{
    releases_.fetch_add(1);
    if (waiting_.load() == 0) return;
    callees next;
    {
        auto const at = place_of(key);
        std::lock_guard const held{at.stripe.mutex};
        auto const found = at.stripe.queues.find(at.tag);
        if (found != at.stripe.queues.end()) next = found->second.next();
    }
    for (auto const& each : next) each->call(waiter::reason::turn);
}

} // namespace penstock::limiter
