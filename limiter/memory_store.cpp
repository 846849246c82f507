#include "limiter/memory_store.hpp"

#include "limiter/counter_table.hpp"
#include "limiter/evaluate.hpp"

#include <algorithm>
#include <bit>
#include <mutex>
#include <random>
#include <utility>

namespace penstock::limiter {
namespace {

constexpr std::size_t most_stripes = 64;
constexpr std::size_t fewest_keys_in_a_stripe = 64;
constexpr std::size_t slots_swept_per_stripe = 1024;

base::hash_key random_hash_key()
{
    std::random_device random;
    auto const word = [&random] { return std::uint64_t{random()} << 32 | random(); };
    return {word(), word()};
}

// Few keys need few stripes, or the bound would be met in one while others are empty.
std::size_t stripes_for(std::size_t max_keys) noexcept
{
    return std::clamp<std::size_t>(std::bit_floor(max_keys / fewest_keys_in_a_stripe), 1, most_stripes);
}

// Becomes what a function returns where it is to stay: a large value is not copied into its container.
template <typename Function>
struct in_place {
    Function make;
    operator advanced() const noexcept { return make(); } // NOLINT(google-explicit-constructor)
};
template <typename Function>
in_place(Function) -> in_place<Function>;

} // namespace

// On cache lines of its own: two threads on neighbouring stripes do not disturb each other.
struct alignas(64) memory_store::stripe {
    mutable std::mutex mutex;
    base::instant newest{}; // by which anything here was decided
    std::size_t max_weight = 0;
    counter_table<counter_state> counters;
    counter_table<long_state> long_counters;

    void prefetch(std::uint64_t tag, bool keeps_long) const noexcept
    {
        if (keeps_long)
            long_counters.prefetch(tag);
        else
            counters.prefetch(tag);
    }
    // Makes room for `more` weight in `own`, for the counter under `tag`. Each table may take what the other leaves free, and
    // always half of all there is.
    template <typename Own, typename Other>
    void make_room(Own& own, Other& other, std::size_t more, std::uint64_t tag, base::instant now) noexcept
    {
        auto const wanted = own.weight() + more;
        if (wanted + other.weight() <= max_weight) return;
        other.shrink_to(max_weight - std::min(wanted, max_weight / 2), tag, now);
        own.shrink_to(max_weight - std::min(max_weight, other.weight() + more), tag, now);
    }
    void insert(std::uint64_t tag, counter_state const& state, base::instant now) noexcept
    {
        make_room(counters, long_counters, 1, tag, now);
        counters.insert(tag, state, now);
    }
    void insert(std::uint64_t tag, long_state&& state, base::instant now) noexcept
    {
        make_room(long_counters, counters, weight_of(state), tag, now);
        long_counters.insert(tag, std::move(state), now);
    }
};

memory_store::memory_store(settings const& wanted)
    : hash_key_(random_hash_key()),
      stripe_count_(stripes_for(wanted.max_keys)),
      clock_may_step_(wanted.clock_may_step),
      stripes_(new stripe[stripe_count_])
{
    auto const each = std::max<std::size_t>(wanted.max_keys / stripe_count_, 1);
    for (std::size_t i = 0; i < stripe_count_; ++i) stripes_[i].max_weight = each;
}

memory_store::~memory_store() = default;

memory_store::places memory_store::find_places(std::span<claim const> asked) const noexcept
{
    places result;
    for (auto const& each : asked) {
        auto const tag = std::max<std::uint64_t>(base::sip_hash<1, 3>(hash_key_, each.key.view()), 1); // 0 is an empty slot
        // The table places by the tag's upper bits, so the stripe (of a power of two) comes from the lowest.
        auto& at = result.emplace_back();
        at.tag = tag;
        at.stripe = tag & (stripe_count_ - 1);
        at.keeps_long = keeps_long_state(each.algorithm());
    }
    return result;
}

// Always in index order, each stripe once: two requests can never wait for one another.
class memory_store::locked_stripes {
public:
    locked_stripes(stripe* stripes, places const& wanted) noexcept : stripes_(stripes)
    {
        for (auto const& each : wanted) needed_ |= std::uint64_t{1} << each.stripe;
        for (auto left = needed_; left != 0; left &= left - 1) stripes_[std::countr_zero(left)].mutex.lock();
    }
    ~locked_stripes()
    {
        for (auto left = needed_; left != 0; left &= left - 1) stripes_[std::countr_zero(left)].mutex.unlock();
    }
    // The time to decide by. Whoever lost the processor between reading the clock and getting the lock comes with an instant
    // that others have passed already: taken at its word it would look like a clock set back, and end a window again that
    // they are in.
    [[nodiscard]] base::instant settle(base::instant now) noexcept
    {
        for (auto left = needed_; left != 0; left &= left - 1) now = std::max(now, stripes_[std::countr_zero(left)].newest);
        for (auto left = needed_; left != 0; left &= left - 1) stripes_[std::countr_zero(left)].newest = now;
        return now;
    }
    locked_stripes(locked_stripes const&) = delete;
    locked_stripes& operator=(locked_stripes const&) = delete;

private:
    stripe* stripes_;
    std::uint64_t needed_ = 0; // one bit for each stripe
};

void memory_store::find_state(place& at) noexcept
{
    auto& from = stripes_[at.stripe];
    if (at.keeps_long)
        at.found_long = from.long_counters.find(at.tag);
    else
        at.found = from.counters.find(at.tag);
}

// Of a counter that is there.
void memory_store::keep_long(claim const& asked, place const& at, advanced const& look, verdict const& given) noexcept
{
    auto const what = what_to_keep(asked, look, given.allowed);
    if (what == keeping::nothing) return;
    auto& state = *at.found_long;
    auto const before = weight_of(state);
    if (what == keeping::charge)
        keep_charge(asked.algorithm(), state, asked.cost, given.now);
    else
        keep_repair(asked.algorithm(), state, given.now);
    stripes_[at.stripe].long_counters.reweigh(before, state);
}

// Of a counter that was not there, if it is charged; and room for what one that was there has grown by.
void memory_store::insert(claim const& asked, place const& at, advanced const& look, verdict const& given) noexcept
{
    auto& into = stripes_[at.stripe];
    if (at.found_long) return into.make_room(into.long_counters, into.counters, 0, at.tag, given.now);
    if (what_to_keep(asked, look, given.allowed) != keeping::charge) return;
    if (!at.keeps_long) return into.insert(at.tag, look.next, given.now);
    long_state fresh;
    keep_charge(asked.algorithm(), fresh, asked.cost, given.now);
    into.insert(at.tag, std::move(fresh), given.now);
}

advanced memory_store::look_at(claim const& asked, place const& at, base::instant now) noexcept
{
    if (at.keeps_long) return advance_long(asked.algorithm(), at.found_long, asked.cost, now);
    return advance(asked.algorithm(), at.found, asked.cost, now);
}

verdict memory_store::acquire(std::span<claim const> asked, base::instant now) noexcept
{
    auto wanted = find_places(asked);
    boost::container::static_vector<advanced, max_claims> looks;
    locked_stripes held{stripes_.get(), wanted};
    if (!clock_may_step_) now = held.settle(now);

    for (auto const& each : wanted) stripes_[each.stripe].prefetch(each.tag, each.keeps_long);
    for (std::size_t i = 0; i < asked.size(); ++i) {
        auto& at = wanted[i];
        find_state(at);
        looks.emplace_back(in_place{[&] { return look_at(asked[i], at, now); }});
    }
    auto result = evaluate(asked, looks, now);

    // Counters that are there first: an insertion may move them.
    for (std::size_t i = 0; i < asked.size(); ++i) {
        auto const& at = wanted[i];
        if (at.found_long) keep_long(asked[i], at, looks[i], result);
        if (!at.found) continue;
        if (auto const* state = state_to_keep(asked[i], looks[i], result.allowed)) *at.found = *state;
    }
    for (std::size_t i = 0; i < asked.size(); ++i) {
        if (!wanted[i].found) insert(asked[i], wanted[i], looks[i], result);
    }
    return result;
}

void memory_store::take_back(claim const& what, place& at, charge const& taken, base::instant now) noexcept
{
    find_state(at);
    if (at.found) limiter::refund(what.algorithm(), *at.found, taken, now);
    if (at.found_long) limiter::refund(what.algorithm(), *at.found_long, taken, now);
}

void memory_store::refund(std::span<claim const> asked, verdict const& given, base::instant now) noexcept
{
    if (!given.allowed) return; // nothing was charged
    auto wanted = find_places(asked);
    locked_stripes held{stripes_.get(), wanted};
    if (!clock_may_step_) now = held.settle(now);
    for (std::size_t i = 0; i < asked.size(); ++i) {
        auto const& answer = given.decisions[i];
        if (answer.allowed) take_back(asked[i], wanted[i], {asked[i].cost, given.now, answer.reset_after}, now);
    }
}

void memory_store::give_back(claim const& what, charge const& taken, base::instant now) noexcept
{
    auto at = find_places({&what, 1});
    locked_stripes held{stripes_.get(), at};
    if (!clock_may_step_) now = held.settle(now);
    take_back(what, at.front(), taken, now);
}

bool memory_store::keeps(claim const& what) noexcept
{
    auto wanted = find_places({&what, 1});
    locked_stripes const held{stripes_.get(), wanted};
    auto& at = wanted.front();
    find_state(at);
    return at.found || at.found_long;
}

void memory_store::begin(claim const& what, any_state from, existing counter, base::instant now) noexcept
{
    auto wanted = find_places({&what, 1});
    locked_stripes held{stripes_.get(), wanted};
    auto& at = wanted.front();
    find_state(at);
    if ((at.found || at.found_long) && counter == existing::kept) return;
    auto& into = stripes_[at.stripe];
    if (at.keeps_long) {
        auto* state = std::get_if<long_state>(&from);
        if (at.found_long) {
            auto const before = weight_of(*at.found_long);
            *at.found_long = state ? std::move(*state) : long_state{};
            into.long_counters.reweigh(before, *at.found_long);
            into.make_room(into.long_counters, into.counters, 0, at.tag, now);
        } else if (state) {
            into.insert(at.tag, std::move(*state), now);
        }
        return;
    }
    auto const* state = std::get_if<counter_state>(&from);
    if (at.found)
        *at.found = state ? *state : counter_state{};
    else if (state)
        into.insert(at.tag, *state, now);
}

void memory_store::hold(claim const& what, base::instant now) noexcept
{
    auto wanted = find_places({&what, 1});
    locked_stripes held{stripes_.get(), wanted};
    auto& at = wanted.front();
    find_state(at);
    // As if the limit were out of reach.
    auto const charged = advance(concurrency{largest_window_limit}, at.found, what.cost, now).next;
    if (at.found)
        *at.found = charged;
    else
        stripes_[at.stripe].insert(at.tag, charged, now);
}

std::size_t memory_store::sweep(base::instant now) noexcept
{
    std::size_t dropped = 0;
    for (std::size_t i = 0; i < stripe_count_; ++i) {
        std::lock_guard const held{stripes_[i].mutex};
        dropped += stripes_[i].counters.sweep(slots_swept_per_stripe, now);
        dropped += stripes_[i].long_counters.sweep(slots_swept_per_stripe, now);
    }
    return dropped;
}

memory_store::counts memory_store::count() const noexcept
{
    counts total;
    for (std::size_t i = 0; i < stripe_count_; ++i) {
        std::lock_guard const held{stripes_[i].mutex};
        auto const& counters = stripes_[i].counters;
        auto const& long_counters = stripes_[i].long_counters;
        total.keys += counters.size() + long_counters.size();
        total.evictions += counters.evictions() + long_counters.evictions();
        total.bytes += sizeof(stripe) + counters.bytes() + long_counters.bytes();
    }
    return total;
}

} // namespace penstock::limiter
