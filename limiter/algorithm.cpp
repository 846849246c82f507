#include "limiter/algorithm.hpp"

#include "limiter/concurrency.hpp"
#include "limiter/periodic_bucket.hpp"
#include "limiter/sliding_counter.hpp"
#include "limiter/sliding_log.hpp"
#include "limiter/sliding_window.hpp"
#include "limiter/token_bucket.hpp"
#include "limiter/window.hpp"

#include <cassert>

namespace penstock::limiter {
namespace {

constexpr std::int64_t second_us = 1'000'000;
constexpr std::int64_t millisecond_us = 1'000;
constexpr std::int64_t day_us = 86'400 * second_us;

std::string text_of(std::int64_t length_us)
{
    if (length_us % second_us == 0) return std::to_string(length_us / second_us) + "s";
    return std::to_string(length_us / millisecond_us) + "ms";
}

// One answer for each algorithm, spelled as overloads.
template <typename... Functions>
struct each_of : Functions... {
    using Functions::operator()...;
};
template <typename... Functions>
each_of(Functions...) -> each_of<Functions...>;

constexpr std::int64_t length_us(calendar_unit unit) noexcept
{
    switch (unit) {
    case calendar_unit::day: return day_us;
    case calendar_unit::week: return 7 * day_us;
    case calendar_unit::month: return 31 * day_us;
    }
    return day_us;
}

std::string text_of(calendar_unit unit)
{
    switch (unit) {
    case calendar_unit::day: return "day";
    case calendar_unit::week: return "week";
    case calendar_unit::month: return "month";
    }
    return "day";
}

base::micros window_of(algorithm const& parameters) noexcept
{
    using base::micros;
    return std::visit(each_of{[](token_bucket const& a) { return emission_time(a, a.capacity); },
                              [](periodic_bucket const& a) { return time_to_refill(a); },
                              [](fixed_window const& a) { return micros{a.window_us}; },
                              [](clock_window const& a) { return micros{a.window_us}; },
                              [](calendar_window const& a) { return micros{length_us(a.calendar->unit)}; },
                              [](sliding_window const& a) { return micros{a.segment_us * a.segments}; },
                              [](sliding_counter const& a) { return micros{a.window_us}; },
                              [](sliding_log const& a) { return micros{a.window_us}; },
                              [](concurrency const&) { return micros{second_us}; }},
                      parameters);
}

// `whole` over `shards`: what does not divide goes one each to the first of them.
std::int64_t share_of(std::int64_t whole, unsigned index, unsigned shards) noexcept
{
    return whole / shards + (index < whole % shards ? 1 : 0);
}

} // namespace

bool keeps_long_state(algorithm const& parameters) noexcept
{
    return std::holds_alternative<sliding_window>(parameters) || std::holds_alternative<sliding_log>(parameters);
}

advanced advance(algorithm const& parameters, counter_state const* state, std::int64_t cost, base::instant now) noexcept
{
    assert(!keeps_long_state(parameters));
    if (auto const* a = std::get_if<token_bucket>(&parameters)) return advance_token_bucket(*a, state, cost, now);
    if (auto const* a = std::get_if<fixed_window>(&parameters)) return advance_window(window_at(*a, now), state, cost, now);
    if (auto const* a = std::get_if<clock_window>(&parameters)) return advance_window(window_at(*a, now), state, cost, now);
    if (auto const* a = std::get_if<calendar_window>(&parameters)) return advance_window(window_at(*a, now), state, cost, now);
    if (auto const* a = std::get_if<periodic_bucket>(&parameters)) return advance_periodic_bucket(*a, state, cost, now);
    if (auto const* a = std::get_if<sliding_counter>(&parameters)) return advance_sliding_counter(*a, state, cost, now);
    return advance_concurrency(*std::get_if<concurrency>(&parameters), state, cost);
}

advanced advance_long(algorithm const& parameters, long_state const* state, std::int64_t cost, base::instant now) noexcept
{
    if (auto const* a = std::get_if<sliding_log>(&parameters)) return advance_sliding_log(*a, state, cost, now);
    return advance_sliding_window(*std::get_if<sliding_window>(&parameters), state, cost, now);
}

void keep_charge(algorithm const& parameters, long_state& state, std::int64_t cost, base::instant now)
{
    if (auto const* a = std::get_if<sliding_log>(&parameters)) return charge_sliding_log(*a, state, cost, now);
    charge_sliding_window(*std::get_if<sliding_window>(&parameters), state, cost, now);
}

void keep_repair(algorithm const& parameters, long_state& state, base::instant now) { keep_charge(parameters, state, 0, now); }

bool refund(algorithm const& parameters, counter_state& state, charge const& taken, base::instant now) noexcept
{
    if (auto const* a = std::get_if<token_bucket>(&parameters)) return refund_token_bucket(*a, state, taken, now);
    if (auto const* a = std::get_if<periodic_bucket>(&parameters)) return refund_periodic_bucket(*a, state, taken, now);
    if (auto const* a = std::get_if<sliding_counter>(&parameters)) return refund_sliding_counter(*a, state, taken, now);
    if (std::holds_alternative<concurrency>(parameters)) return refund_concurrency(state, taken);
    return refund_window(state, taken, now);
}

bool refund(algorithm const& parameters, long_state& state, charge const& taken, base::instant now) noexcept
{
    if (auto const* a = std::get_if<sliding_log>(&parameters)) return refund_sliding_log(*a, state, taken, now);
    return refund_sliding_window(*std::get_if<sliding_window>(&parameters), state, taken, now);
}

std::optional<algorithm> with_limit(algorithm const& parameters, std::int64_t limit) noexcept
{
    using base::micros;
    using made = std::optional<algorithm>;
    return std::visit(
        each_of{[&](token_bucket const& a) -> made { return with_capacity(a, limit); },
                [&](periodic_bucket const& a) -> made { return with_capacity(a, limit); },
                [&](fixed_window const& a) -> made { return make_fixed_window(limit, micros{a.window_us}); },
                [&](clock_window const& a) -> made { return make_clock_window(limit, micros{a.window_us}); },
                [&](calendar_window const& a) -> made { return make_calendar_window(limit, *a.calendar); },
                [&](sliding_window const& a) -> made {
                    return make_sliding_window(limit, micros{a.segment_us * a.segments}, a.segments);
                },
                [&](sliding_counter const& a) -> made { return make_sliding_counter(limit, micros{a.window_us}); },
                [&](sliding_log const& a) -> made { return make_sliding_log(limit, micros{a.window_us}); },
                [&](concurrency const&) -> made { return make_concurrency(limit); }},
        parameters);
}

std::optional<algorithm> shard_of(algorithm const& parameters, unsigned index, unsigned shards)
{
    assert(index < shards);
    auto const permits = share_of(burst_of(parameters), index, shards);
    if (auto const* a = std::get_if<periodic_bucket>(&parameters)) {
        return make_periodic_bucket(permits, share_of(a->refill, index, shards), base::micros{a->period_us});
    }
    return with_limit(parameters, permits);
}

std::int64_t burst_of(algorithm const& parameters) noexcept
{
    return std::visit(each_of{[](token_bucket const& a) { return a.capacity; },
                              [](periodic_bucket const& a) { return a.capacity; }, [](auto const& a) { return a.limit; }},
                      parameters);
}

std::int64_t window_seconds_of(algorithm const& parameters) noexcept
{
    return (window_of(parameters).count() + second_us - 1) / second_us;
}

std::string tag_of(algorithm const& parameters)
{
    return std::visit(
        each_of{[](token_bucket const&) -> std::string { return "tb"; },
                [](periodic_bucket const& a) { return "tbp" + text_of(a.period_us); },
                [](fixed_window const& a) { return "fw" + text_of(a.window_us); },
                [](clock_window const& a) { return "cw" + text_of(a.window_us); },
                [](calendar_window const& a) { return text_of(a.calendar->unit); },
                [](sliding_window const& a) { return "sw" + text_of(a.segment_us * a.segments) + std::to_string(a.segments); },
                [](sliding_counter const& a) { return "sc" + text_of(a.window_us); },
                [](sliding_log const& a) { return "sl" + text_of(a.window_us); },
                [](concurrency const&) -> std::string { return "cc"; }},
        parameters);
}

} // namespace penstock::limiter
