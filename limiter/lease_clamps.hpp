// The clamps that keep what is lent within the limit, for a token bucket: what is in the bucket and what is out on lease never
// exceed the capacity together. `Clamps` says which of them are made; all of them in the program, and a test takes out each
// in turn to see permits beyond the limit. Included by lease_ledger.cpp and that test. Pure.
#pragma once

#include "limiter/lease_ledger.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace penstock::limiter {

struct every_clamp {
    static constexpr bool at_lapse = true;      // as if looked at when a group lapsed
    static constexpr bool outstanding = true;   // now
    static constexpr bool before_report = true; // before a report makes less of what is out
};

template <class Clamps = every_clamp>
class lending_bucket {
public:
    // Brings `state` (null: untouched) up to `now`.
    lending_bucket(algorithm const& bucket, lending_counter const* state, base::instant now) noexcept
        : bucket_(bucket), now_(now)
    {
        if (state) is_ = *state;
        auto const look = advance(bucket_, state ? &state->counter : nullptr, 0, now);
        is_.counter = look.repaired;
        needs_repair_ = look.needs_repair;
        keep_within_half_a_second();
        while (out() > 0 && is_.first.lapses_at_us <= base::since_epoch_us(now)) {
            if constexpr (Clamps::at_lapse) keep_out_of_reach(base::at_epoch_us(is_.first.lapses_at_us));
            is_.first = std::exchange(is_.second, {});
        }
        close_ranks();
        if constexpr (Clamps::outstanding && Clamps::before_report) keep_out_of_reach(now);
    }

    [[nodiscard]] lending_counter const& is() const noexcept { return is_; }
    [[nodiscard]] bool needs_repair() const noexcept { return needs_repair_; }
    [[nodiscard]] advanced look(std::int64_t cost) const noexcept { return advance(bucket_, &is_.counter, cost, now_); }

    // True if the report was about a group that is known.
    bool take_in(std::array<lease_report, lease_groups> const& reports) noexcept
    {
        bool changed = false;
        std::int64_t returned = 0;
        for (auto const& report : reports) {
            auto* group = group_named(report.lapses_at_us);
            if (!group) continue;
            auto const gone = std::min(report.spent + report.returned, group->out);
            group->out -= gone;
            returned += std::min(report.returned, gone);
            changed = true;
        }
        if (returned > 0) {
            give_back(std::min(returned, burst_of(bucket_)));
            if constexpr (Clamps::outstanding) keep_out_of_reach(now_);
        }
        if constexpr (Clamps::outstanding && !Clamps::before_report) keep_out_of_reach(now_);
        close_ranks();
        return changed;
    }

    // Charges permits and notes who may spend them until when. Returns the group's name.
    std::int64_t grant(std::int64_t permits, base::micros epoch) noexcept
    {
        is_.counter = look(permits).next;
        auto const lapses = (base::since_epoch_us(now_) / epoch.count() + 2) * epoch.count();
        if (is_.first.out == 0) is_.first.lapses_at_us = lapses;
        // Holders of other numbers, for a while after a change, count other epochs.
        auto& group = is_.first.out == 0 || lapses <= is_.first.lapses_at_us ? is_.first : is_.second;
        if (group.out == 0) group.lapses_at_us = lapses;
        group.out += permits;
        return group.lapses_at_us;
    }

private:
    [[nodiscard]] std::int64_t out() const noexcept { return is_.first.out + is_.second.out; }

    // A group further ahead was left by a clock that has been set back.
    void keep_within_half_a_second() noexcept
    {
        auto const latest = base::since_epoch_us(now_ + 2 * longest_epoch);
        is_.first.lapses_at_us = std::min(is_.first.lapses_at_us, latest);
        is_.second.lapses_at_us = std::min(is_.second.lapses_at_us, latest);
        if (is_.second.lapses_at_us > is_.first.lapses_at_us) return;
        is_.first.out += is_.second.out;
        is_.second = {};
    }
    void close_ranks() noexcept
    {
        if (is_.first.out == 0) is_.first = std::exchange(is_.second, {});
        if (is_.first.out == 0) is_.first = {};
    }
    // Not more in the bucket at `at` than the capacity less what is out.
    void keep_out_of_reach(base::instant at) noexcept
    {
        auto const least = advance(bucket_, nullptr, std::min(out(), burst_of(bucket_)), at).next;
        auto const earlier = std::tie(is_.counter.until_us, is_.counter.extra) < std::tie(least.until_us, least.extra);
        if (earlier) is_.counter = least;
    }
    void give_back(std::int64_t permits) noexcept
    {
        refund(bucket_, is_.counter, {.cost = permits, .at = now_, .reset_after = {}}, now_);
    }
    lent_group* group_named(std::int64_t lapses_at_us) noexcept
    {
        if (is_.first.out > 0 && is_.first.lapses_at_us == lapses_at_us) return &is_.first;
        if (is_.second.out > 0 && is_.second.lapses_at_us == lapses_at_us) return &is_.second;
        return nullptr;
    }

    algorithm bucket_; // a token_bucket
    base::instant now_;
    lending_counter is_;
    bool needs_repair_ = false;
};

// Half of what is there, so that nobody takes the last permits from everybody; but nothing that is of no use.
inline std::int64_t grant_of(lease_request const& asked, std::int64_t there) noexcept
{
    if (asked.want < 1 || asked.least > there) return 0;
    return std::min(asked.want, std::max(asked.least, (there + 1) / 2));
}

// lend() for a token bucket.
template <class Clamps>
lent lend_from_bucket(lease_request const& asked, lending_counter const* state, base::instant now) noexcept
{
    lending_bucket<Clamps> bucket{asked.algorithm, state, now};
    lent result;
    result.changed = bucket.take_in(asked.reports) || bucket.needs_repair();
    auto& answer = result.answer;
    answer.now = now;
    answer.granted = grant_of(asked, bucket.look(0).idle.remaining);
    if (answer.granted > 0) {
        answer.lapses_at_us = bucket.grant(answer.granted, lease_terms_of(asked.algorithm)->epoch);
        answer.valid_for = base::at_epoch_us(answer.lapses_at_us) - now;
        result.changed = true;
    } else if (asked.want > 0) {
        answer.retry_after = bucket.look(asked.least).decision.retry_after;
    }
    auto const left = bucket.look(0).idle;
    answer.remaining = left.remaining;
    answer.reset_after = left.reset_after;
    result.next = bucket.is();
    return result;
}

} // namespace penstock::limiter
