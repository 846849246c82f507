#include "limiter/memory_store.hpp"

#include "limiter/counter_table.hpp"
#include "limiter/evaluate.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <mutex>
#include <optional>
#include <random>

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

} // namespace

// On cache lines of its own: two threads on neighbouring stripes do not disturb each other.
struct alignas(64) memory_store::stripe {
    mutable std::mutex mutex;
    std::optional<counter_table> table; // always there; optional only because arrays need a default constructor
};

memory_store::memory_store(settings const& wanted)
    : hash_key_(random_hash_key()), stripe_count_(stripes_for(wanted.max_keys)), stripes_(new stripe[stripe_count_])
{
    for (std::size_t i = 0; i < stripe_count_; ++i) stripes_[i].table.emplace(wanted.max_keys / stripe_count_);
}

memory_store::~memory_store() = default;

memory_store::places memory_store::find_places(std::span<claim const> asked) const noexcept
{
    places result;
    for (auto const& each : asked) {
        auto const tag = std::max<std::uint64_t>(base::sip_hash<1, 3>(hash_key_, each.key.view()), 1); // 0 is an empty slot
        // The table places by the tag's upper bits, so the stripe (of a power of two) comes from the lowest.
        result.push_back({.tag = tag, .stripe = tag & (stripe_count_ - 1), .found = nullptr});
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
    locked_stripes(locked_stripes const&) = delete;
    locked_stripes& operator=(locked_stripes const&) = delete;

private:
    stripe* stripes_;
    std::uint64_t needed_ = 0; // one bit for each stripe
};

verdict memory_store::acquire(std::span<claim const> asked, base::instant now) noexcept
{
    auto wanted = find_places(asked);
    boost::container::static_vector<advanced, max_claims> looks;
    locked_stripes const held{stripes_.get(), wanted};

    for (auto const& each : wanted) stripes_[each.stripe].table->prefetch(each.tag);
    for (std::size_t i = 0; i < asked.size(); ++i) {
        auto& at = wanted[i];
        at.found = stripes_[at.stripe].table->find(at.tag);
        looks.push_back(advance(asked[i].algorithm(), at.found, asked[i].cost, now));
    }
    auto result = evaluate(asked, looks, now);

    // Counters that are there first: an insertion may move them.
    std::array<counter_state const*, max_claims> missing{};
    for (std::size_t i = 0; i < asked.size(); ++i) {
        auto const* keep = state_to_keep(asked[i], looks[i], result.allowed);
        if (keep && wanted[i].found) *wanted[i].found = *keep;
        if (!wanted[i].found) missing[i] = keep;
    }
    for (std::size_t i = 0; i < asked.size(); ++i) {
        if (missing[i]) stripes_[wanted[i].stripe].table->insert(wanted[i].tag, *missing[i], now);
    }
    return result;
}

void memory_store::refund(std::span<claim const> asked, verdict const& given, base::instant charged_at,
                          base::instant now) noexcept
{
    if (!given.allowed) return; // nothing was charged
    auto const wanted = find_places(asked);
    locked_stripes const held{stripes_.get(), wanted};
    for (std::size_t i = 0; i < asked.size(); ++i) {
        auto const& answer = given.decisions[i];
        auto* state = stripes_[wanted[i].stripe].table->find(wanted[i].tag);
        if (!answer.allowed || !state) continue;
        charge const taken{.cost = asked[i].cost, .at = charged_at, .reset_after = answer.reset_after};
        limiter::refund(asked[i].algorithm(), *state, taken, now);
    }
}

void memory_store::give_back(claim const& what, charge const& taken, base::instant now) noexcept
{
    auto const at = find_places({&what, 1}).front();
    std::lock_guard const held{stripes_[at.stripe].mutex};
    if (auto* state = stripes_[at.stripe].table->find(at.tag)) limiter::refund(what.algorithm(), *state, taken, now);
}

std::size_t memory_store::sweep(base::instant now) noexcept
{
    std::size_t dropped = 0;
    for (std::size_t i = 0; i < stripe_count_; ++i) {
        std::lock_guard const held{stripes_[i].mutex};
        dropped += stripes_[i].table->sweep(slots_swept_per_stripe, now);
    }
    return dropped;
}

memory_store::counts memory_store::count() const noexcept
{
    counts total;
    for (std::size_t i = 0; i < stripe_count_; ++i) {
        std::lock_guard const held{stripes_[i].mutex};
        auto const& table = *stripes_[i].table;
        total.keys += table.size();
        total.evictions += table.evictions();
        total.bytes += sizeof(stripe) + table.bytes();
    }
    return total;
}

} // namespace penstock::limiter
