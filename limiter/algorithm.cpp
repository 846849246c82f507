#include "limiter/algorithm.hpp"

#include "limiter/fixed_window.hpp"
#include "limiter/token_bucket.hpp"

namespace penstock::limiter {
namespace {

constexpr std::int64_t second_us = 1'000'000;
constexpr std::int64_t millisecond_us = 1'000;

} // namespace

advanced advance(algorithm const& parameters, counter_state const* state, std::int64_t cost, base::instant now) noexcept
{
    if (auto const* bucket = std::get_if<token_bucket>(&parameters)) return advance_token_bucket(*bucket, state, cost, now);
    return advance_fixed_window(*std::get_if<fixed_window>(&parameters), state, cost, now);
}

bool refund(algorithm const& parameters, counter_state& state, charge const& taken, base::instant now) noexcept
{
    if (auto const* bucket = std::get_if<token_bucket>(&parameters)) return refund_token_bucket(*bucket, state, taken, now);
    return refund_fixed_window(state, taken, now);
}

std::optional<algorithm> with_limit(algorithm const& parameters, std::int64_t limit) noexcept
{
    if (auto const* bucket = std::get_if<token_bucket>(&parameters)) return with_capacity(*bucket, limit);
    return std::nullopt;
}

std::int64_t burst_of(algorithm const& parameters) noexcept
{
    if (auto const* bucket = std::get_if<token_bucket>(&parameters)) return bucket->capacity;
    return std::get_if<fixed_window>(&parameters)->limit;
}

std::int64_t window_seconds_of(algorithm const& parameters) noexcept
{
    auto const* bucket = std::get_if<token_bucket>(&parameters);
    auto const us =
        bucket ? emission_time(*bucket, bucket->capacity).count() : std::get_if<fixed_window>(&parameters)->window_us;
    return (us + second_us - 1) / second_us;
}

std::string tag_of(algorithm const& parameters)
{
    auto const* window = std::get_if<fixed_window>(&parameters);
    if (!window) return "tb";
    if (window->window_us % second_us == 0) return "fw" + std::to_string(window->window_us / second_us) + "s";
    return "fw" + std::to_string(window->window_us / millisecond_us) + "ms";
}

} // namespace penstock::limiter
