#include "limiter/lease.hpp"

#include "limiter/token_bucket.hpp"

#include <algorithm>

namespace penstock::limiter {
namespace {

constexpr base::micros shortest_leased_burst{16'000};

} // namespace

std::optional<lease_terms> lease_terms_of(algorithm const& parameters) noexcept
{
    base::micros refill{0};
    if (auto const* bucket = std::get_if<token_bucket>(&parameters))
        refill = emission_time(*bucket, bucket->capacity);
    else if (auto const* window = std::get_if<fixed_window>(&parameters))
        refill = base::micros{window->window_us};
    if (refill < shortest_leased_burst) return std::nullopt;
    auto const epoch = std::min(refill / 8, longest_epoch);
    return lease_terms{epoch, epoch / 2};
}

} // namespace penstock::limiter
