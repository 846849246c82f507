#include "limiter/memory_store.hpp"

#include "limiter/counter_table.hpp"
#include "limiter/evaluate.hpp"

#include <algorithm>
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

struct memory_store::place {
    std::uint64_t tag = 0;
    std::size_t stripe = 0;
    counter_state* found = nullptr;
};

memory_store::memory_store(settings const& wanted)
    : hash_key_(random_hash_key()), stripe_count_(stripes_for(wanted.max_keys)), stripes_(new stripe[stripe_count_])
{
    for (std::size_t i = 0; i < stripe_count_; ++i) stripes_[i].table.emplace(wanted.max_keys / stripe_count_);
}

memory_store::~memory_store() = default;
