#include "limiter/lease_ledger.hpp"

#include "limiter/lease_clamps.hpp"

#include <algorithm>

namespace penstock::limiter {
namespace {

lent lend_from_window(lease_request const& asked, lending_counter const* state, base::instant now) noexcept
{
    lent result;
    auto const look = advance(asked.algorithm, state ? &state->counter : nullptr, 0, now);
    auto counter = look.repaired;
    result.changed = look.needs_repair;
    auto const open = counter.until_us > base::since_epoch_us(now);
    for (auto const& report : asked.reports) {
        if (!open || look.needs_repair || report.lapses_at_us != counter.until_us || report.returned < 1 || counter.extra < 1)
            continue;
        counter.extra -= std::min(report.returned, counter.extra);
        result.changed = true;
    }

    auto const* now_there = open ? &counter : nullptr;
    auto& answer = result.answer;
    answer.now = now;
    answer.remaining = advance(asked.algorithm, now_there, 0, now).idle.remaining;
    answer.granted = grant_of(asked, answer.remaining);
    if (answer.granted > 0) {
        counter = advance(asked.algorithm, now_there, answer.granted, now).next;
        result.changed = true;
        answer.remaining -= answer.granted;
        answer.lapses_at_us = counter.until_us;
        answer.valid_for = base::at_epoch_us(counter.until_us) - now;
    } else if (asked.want > 0) {
        answer.retry_after = advance(asked.algorithm, now_there, asked.least, now).decision.retry_after;
    }
    if (counter.extra > 0) answer.reset_after = base::at_epoch_us(counter.until_us) - now;
    result.next.counter = counter;
    return result;
}

} // namespace

lent lend(lease_request const& asked, lending_counter const* state, base::instant now) noexcept
{
    if (std::holds_alternative<fixed_window>(asked.algorithm)) return lend_from_window(asked, state, now);
    return lend_from_bucket<every_clamp>(asked, state, now);
}

lending_advanced advance_lending(algorithm const& parameters, lending_counter const* state, std::int64_t cost,
                                 base::instant now) noexcept
{
    lending_advanced result;
    if (std::holds_alternative<token_bucket>(parameters)) {
        lending_bucket<> const bucket{parameters, state, now};
        result.look = bucket.look(cost);
        result.look.needs_repair = bucket.needs_repair();
        result.next = bucket.is();
    } else {
        result.look = advance(parameters, state ? &state->counter : nullptr, cost, now);
    }
    result.repaired = result.next;
    result.repaired.counter = result.look.repaired;
    result.next.counter = result.look.next;
    return result;
}

} // namespace penstock::limiter
