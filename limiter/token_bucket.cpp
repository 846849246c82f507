#include "limiter/token_bucket.hpp"

#include <algorithm>
#include <cassert>
#include <compare>
#include <utility>

namespace penstock::limiter {
namespace {

__extension__ using wide = __int128;

// whole + part / interval_den microseconds, 0 <= part < interval_den: an instant or a length of time.
struct rational {
    std::int64_t whole;
    std::int64_t part;
    friend auto operator<=>(rational const&, rational const&) = default;
};

// Arithmetic in the fractions of one bucket's emission interval. No sum leaves 2^53 (see make_token_bucket).
class fractions {
public:
    explicit fractions(token_bucket const& of) noexcept : of_(of) {}

    [[nodiscard]] rational emission(std::int64_t permits) const noexcept
    {
        if (of_.interval_den == 1) return {permits * of_.interval_us, 0};
        auto const parts = permits * of_.interval_num;
        return {permits * of_.interval_us + parts / of_.interval_den, parts % of_.interval_den};
    }
    [[nodiscard]] rational sum(rational a, rational b) const noexcept
    {
        rational r{a.whole + b.whole, a.part + b.part};
        if (r.part >= of_.interval_den) r = {r.whole + 1, r.part - of_.interval_den};
        return r;
    }
    [[nodiscard]] rational difference(rational a, rational b) const noexcept
    {
        rational r{a.whole - b.whole, a.part - b.part};
        if (r.part < 0) r = {r.whole - 1, r.part + of_.interval_den};
        return r;
    }
    // How many permits are emitted in full during `length` >= 0.
    [[nodiscard]] std::int64_t permits_in(rational length) const noexcept
    {
        if (of_.interval_den == 1) return length.whole / of_.interval_us;
        auto const parts = wide{length.whole} * of_.interval_den + length.part;
        return static_cast<std::int64_t>(parts / (wide{of_.interval_us} * of_.interval_den + of_.interval_num));
    }
    // The remainder was counted in another denominator, which is not known any more: less than 1 us against the caller.
    [[nodiscard]] rational stored(counter_state const& state) const noexcept
    {
        if (state.extra >= of_.interval_den) return {state.until_us + 1, 0};
        return {state.until_us, state.extra};
    }

private:
    token_bucket const& of_;
};

base::micros rounded_up(rational length) noexcept { return base::micros{length.whole + (length.part > 0 ? 1 : 0)}; }

} // namespace

namespace {

// A permit every `numerator / denominator` microseconds.
std::optional<token_bucket> make_bucket(std::int64_t capacity, wide numerator, wide denominator) noexcept
{
    for (auto a = numerator, b = denominator;;) {
        if (b == 0) {
            numerator /= a;
            denominator /= a;
            break;
        }
        a = std::exchange(b, a % b);
    }
    if (wide{capacity} * denominator >= exact_bound) return std::nullopt;
    if (wide{capacity} * numerator > wide{longest_us} * denominator) return std::nullopt;
    return token_bucket{capacity, static_cast<std::int64_t>(numerator / denominator),
                        static_cast<std::int64_t>(numerator % denominator), static_cast<std::int64_t>(denominator)};
}

} // namespace

std::optional<token_bucket> make_token_bucket(std::int64_t capacity, std::int64_t refill_permits, base::micros period)
{
    if (capacity < 1 || refill_permits < 1 || period.count() < 1) return std::nullopt;
    return make_bucket(capacity, period.count(), refill_permits);
}

std::optional<token_bucket> with_capacity(token_bucket const& parameters, std::int64_t capacity) noexcept
{
    if (capacity < 1) return std::nullopt;
    auto const numerator = wide{parameters.interval_us} * parameters.interval_den + parameters.interval_num;
    return make_bucket(capacity, numerator * parameters.capacity, wide{parameters.interval_den} * capacity);
}

base::micros emission_time(token_bucket const& parameters, std::int64_t permits) noexcept
{
    return rounded_up(fractions{parameters}.emission(permits));
}

advanced advance_token_bucket(token_bucket const& parameters, counter_state const* state, std::int64_t cost,
                              base::instant now) noexcept
{
    assert(cost >= 0);
    fractions const math{parameters};
    rational const untouched{base::since_epoch_us(now), 0};
    // A bucket is empty exactly when its theoretical arrival time is at the horizon.
    auto const horizon = math.sum(untouched, math.emission(parameters.capacity));

    advanced result;
    auto arrival = state ? std::max(math.stored(*state), untouched) : untouched;
    if (arrival > horizon) {
        arrival = horizon;
        result.needs_repair = true;
    }
    result.repaired = {arrival.whole, arrival.part};
    result.next = result.repaired;
    result.idle = {.allowed = true,
                   .remaining = math.permits_in(math.difference(horizon, arrival)),
                   .reset_after = rounded_up(math.difference(arrival, untouched)),
                   .retry_after = {}};

    if (cost > parameters.capacity) {
        result.idle.allowed = false;
        result.idle.retry_after = never;
        result.decision = result.idle;
        return result;
    }
    auto const charged = math.sum(arrival, math.emission(cost));
    if (charged > horizon) {
        result.idle.allowed = false;
        result.idle.retry_after = rounded_up(math.difference(charged, horizon));
        result.decision = result.idle;
        return result;
    }
    result.next = {charged.whole, charged.part};
    // Emissions add up, so a charge of `cost` leaves exactly that many fewer whole permits.
    result.decision = {.allowed = true,
                       .remaining = result.idle.remaining - cost,
                       .reset_after = rounded_up(math.difference(charged, untouched)),
                       .retry_after = {}};
    return result;
}

bool refund_token_bucket(token_bucket const& parameters, counter_state& state, charge const& taken, base::instant now) noexcept
{
    if (taken.cost < 1 || taken.cost > parameters.capacity || now < taken.at) return false;
    fractions const math{parameters};
    auto const refilled = rational{(now - taken.at).count(), 0};
    auto const owed = math.difference(math.emission(taken.cost), refilled);
    auto const arrival = math.stored(state);
    if (owed <= rational{0, 0} || arrival <= rational{base::since_epoch_us(now), 0}) return false;
    auto const given_back = math.difference(arrival, owed);
    state = {given_back.whole, given_back.part};
    return true;
}

} // namespace penstock::limiter
