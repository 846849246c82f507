#include "limiter/fingerprint.hpp"

#include <algorithm>
#include <initializer_list>
#include <variant>

namespace penstock::limiter {
namespace {

std::uint64_t mix(std::uint64_t hash, std::initializer_list<std::int64_t> words) noexcept
{
    constexpr std::uint64_t odd = 0x9e37'79b9'7f4a'7c15;
    for (auto const word : words) {
        hash = (hash ^ static_cast<std::uint64_t>(word)) * odd;
        hash ^= hash >> 32;
    }
    return hash;
}

struct mix_numbers {
    std::uint64_t hash;

    std::uint64_t operator()(token_bucket const& of) const noexcept
    {
        return mix(hash, {of.capacity, of.interval_us, of.interval_num, of.interval_den});
    }
    std::uint64_t operator()(periodic_bucket const& of) const noexcept { return mix(hash, {of.capacity, of.refill}); }
    template <class Window>
    std::uint64_t operator()(Window const& of) const noexcept
    {
        return mix(hash, {of.limit});
    }
};

} // namespace

std::uint64_t fingerprint_of(claim const& asked, base::hash_key secret) noexcept
{
    auto const key = mix(base::sip_hash<1, 3>(secret, asked.key.view()), {asked.cost});
    return std::max<std::uint64_t>(std::visit(mix_numbers{key}, asked.algorithm()), 1);
}

} // namespace penstock::limiter
