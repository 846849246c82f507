#include "limiter/lease_holding.hpp"

#include "limiter/token_bucket.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

namespace penstock::limiter {
namespace {

constexpr double demand_memory_us = 200'000;
// A key that asks for fewer requests than that in the time for which permits are taken has nothing to gain.
constexpr double busy_requests = 2;

// Our clock and the store's may run at rates that differ by 0.1 %, and both are read in whole microseconds.
base::micros without_drift(base::micros valid_for) noexcept { return valid_for - valid_for / 500 - base::micros{2}; }

std::int64_t whole_above(double number) noexcept { return static_cast<std::int64_t>(std::ceil(number)); }

double micros_of(base::micros length) noexcept { return static_cast<double>(length.count()); }

} // namespace

lease_holding::lease_holding(algorithm const& limit, lease_terms const& terms, base::instant now) noexcept
    : limit_(limit), terms_(terms), seen_at_(now)
{}

void lease_holding::change(algorithm const& limit, lease_terms const& terms) noexcept
{
    limit_ = limit;
    terms_ = terms;
    // They lapse. Given back they would be worth what a permit is worth now, which may be more than was charged for them.
    for (auto& group : groups_) group.held = group.returned = 0;
    hold_until_ = {};
    used_up_from_ = 0;
}

double lease_holding::demand(base::instant now) const noexcept
{
    return demand_ * std::exp(-micros_of(std::max(now - seen_at_, base::micros{0})) / demand_memory_us);
}

std::int64_t lease_holding::held(base::instant now) const noexcept
{
    std::int64_t sum = 0;
    for (auto const& group : groups_)
        if (now < group.expires) sum += group.held;
    return sum;
}

bool lease_holding::is_busy(std::int64_t cost, base::instant now) const noexcept
{
    return demand(now) * micros_of(terms_.ahead) >= busy_requests * static_cast<double>(cost);
}

bool lease_holding::may_go(base::instant now) const noexcept
{
    auto const owes = std::any_of(groups_.begin(), groups_.end(), [](auto const& group) { return group.returned > 0; });
    return !under_way_ && !owes && open_ == 0 && held(now) == 0 && !is_busy(1, now);
}

// An answer takes a round trip; another one is for what a burst takes meanwhile, or the call may be late.
bool lease_holding::runs_low(base::instant now) const noexcept
{
    auto const margin = 2 * round_trip_;
    return held(now + margin) <= whole_above(demand(now) * micros_of(margin));
}

lease_ruling lease_holding::spend(std::int64_t cost, base::instant now) noexcept
{
    demand_ = demand(now);
    seen_at_ = now;
    auto const busy = is_busy(cost, now); // without this request
    demand_ += static_cast<double>(cost) / demand_memory_us;

    auto const may_renew = busy && !under_way_ && now >= hold_until_;
    auto const at_hand = held(now);
    if (at_hand < cost) {
        shortfall_ = cost - at_hand;
        if (!busy && !under_way_ && now >= hold_until_) used_up_from_ = 0;
        return refuse_or_ask(cost, may_renew && cost <= burst_of(limit_), now);
    }
    auto const until = take(cost, now);
    lease_ruling ruling{.way = lease_way::spent, .renew = may_renew && runs_low(now), .decision = {}};
    ruling.decision.lease_until = until;
    ruling.decision.remaining = std::min(remaining_ + at_hand - cost, burst_of(limit_));
    ruling.decision.reset_after = std::max(reset_at_ - now, base::micros{0});
    return ruling;
}

lease_ruling lease_holding::refuse_or_ask(std::int64_t cost, bool renew, base::instant now) const noexcept
{
    lease_ruling ruling{.way = lease_way::ask, .renew = renew, .decision = {}};
    if (used_up_from_ == 0 || shortfall_ < used_up_from_ || cost > burst_of(limit_)) return ruling;
    ruling.way = lease_way::refused;
    auto& decision = ruling.decision;
    decision.allowed = false;
    decision.remaining = held(now);
    // Not before the next answer of the store, nor before it could say yes.
    auto const next_answer = std::max(hold_until_ - now, base::micros{0}) + std::max(round_trip_, base::micros{1});
    decision.retry_after = std::max(next_answer, wait_at_store(cost, now));
    decision.reset_after = std::max(reset_at_ - now, decision.retry_after);
    return ruling;
}

// By the last that it said. A bucket's theoretical arrival time says when any cost passes.
base::micros lease_holding::wait_at_store(std::int64_t cost, base::instant now) const noexcept
{
    auto const to_reset = std::max(reset_at_ - now, base::micros{0});
    if (auto const* bucket = std::get_if<token_bucket>(&limit_))
        return std::max(to_reset - emission_time(*bucket, bucket->capacity - cost), base::micros{0});
    return remaining_ >= cost ? base::micros{0} : to_reset;
}

base::instant lease_holding::take(std::int64_t cost, base::instant now) noexcept
{
    auto good_until = base::instant::max();
    if (auto const age = now - fresh_from_; age > 2 * round_trip_) {
        fresh_before_ = age <= 4 * round_trip_ ? fresh_ : 0;
        fresh_ = 0;
        fresh_from_ = now;
    }
    fresh_ += cost;
    while (cost > 0) {
        permits* soonest = nullptr;
        for (auto& group : groups_)
            if (group.held > 0 && now < group.expires && (!soonest || group.expires < soonest->expires)) soonest = &group;
        auto const taken = std::min(cost, soonest->held);
        soonest->held -= taken;
        soonest->spent += taken;
        cost -= taken;
        good_until = std::min(good_until, soonest->expires);
    }
    return good_until;
}

bool lease_holding::unspend(std::int64_t cost, base::instant now) noexcept
{
    // Which permit it was does not matter as long as it lives: what the store was not told of is still out by its count.
    std::int64_t untold = 0;
    for (auto const& group : groups_)
        if (now < group.expires) untold += group.spent;
    if (untold < cost) return false;
    for (auto& group : groups_) {
        if (now >= group.expires) continue;
        auto const back = std::min(cost, group.spent);
        group.spent -= back;
        group.held += back;
        cost -= back;
    }
    return true;
}

void lease_holding::hold(base::instant now, jitter& random) noexcept
{
    // Drawn at random, or holders that ask in the same order each time would share unequally for ever.
    hold_until_ = now + random.between(terms_.ahead / 2, terms_.ahead);
}

void lease_holding::refused_by_store(std::int64_t cost, decision const& said, base::instant now, jitter& random) noexcept
{
    remaining_ = said.remaining;
    reset_at_ = now + said.reset_after;
    if (!is_busy(cost, now) || now < hold_until_) return;
    used_up_from_ = cost;
    hold(now, random);
}

// Each permit is reported once, even if the call gets lost: then it counts as out until it lapses.
bool lease_holding::report(lease_request& to_send, std::int64_t open) noexcept
{
    auto any = false;
    // What is left open is kept back of the permits that lapse last, so that it can be taken back for as long as possible.
    std::ranges::sort(groups_, std::greater{}, &permits::expires);
    for (std::size_t i = 0; i < groups_.size(); ++i) {
        auto& group = groups_[i];
        auto const kept_back = std::min(open, group.spent);
        open -= kept_back;
        auto const told = std::exchange(group.spent, kept_back) - kept_back;
        to_send.reports[i] = {group.lapses_at_us, told, std::exchange(group.returned, 0)};
        if (to_send.reports[i].spent + to_send.reports[i].returned == 0)
            to_send.reports[i] = {};
        else
            any = true;
    }
    return any;
}

void lease_holding::take_request(lease_request& to_send, base::instant now) noexcept
{
    to_send.algorithm = limit_;
    auto const length = std::min(terms_.ahead + 2 * round_trip_, terms_.epoch);
    auto const wanted = static_cast<std::int64_t>(demand(now) * micros_of(length)) - held(now + 2 * round_trip_);
    to_send.least = std::exchange(shortfall_, 1);
    to_send.want = std::max(wanted, to_send.least);
    report(to_send, std::max(open_, fresh(now)));
    under_way_ = true;
}

bool lease_holding::take_return(lease_request& to_send, base::instant now) noexcept
{
    if (under_way_) return false;
    auto const owes = std::any_of(groups_.begin(), groups_.end(), [](auto const& group) { return group.returned > 0; });
    auto last = now;
    for (auto const& group : groups_)
        if (group.held > 0) last = std::max(last, group.expires);
    auto const life = std::min(last - now, 2 * terms_.epoch);
    auto const at_hand = held(now);
    auto excess = at_hand - whole_above(demand(now) * micros_of(life));
    // A few permits too many are not worth a call.
    if (excess < at_hand / 4 + 1) excess = 0;
    if (excess == 0 && !owes) return false;

    for (auto& group : groups_) {
        if (now >= group.expires) continue;
        auto const back = std::min(excess, group.held);
        group.held -= back;
        group.returned += back;
        excess -= back;
    }
    to_send.algorithm = limit_;
    to_send.want = 0;
    under_way_ = report(to_send, std::max(open_, fresh(now)));
    return under_way_;
}

bool lease_holding::take_everything(lease_request& to_send, base::instant now) noexcept
{
    for (auto& group : groups_)
        if (now < group.expires) group.returned += std::exchange(group.held, 0);
    to_send.algorithm = limit_;
    to_send.want = 0;
    return report(to_send, open_);
}

lease_holding::permits& lease_holding::group_of(lease_answer const& got, base::instant expires) noexcept
{
    for (auto& group : groups_) {
        if (group.lapses_at_us != got.lapses_at_us) continue;
        group.expires = std::min(group.expires, expires);
        return group;
    }
    auto const oldest = [](permits const& a, permits const& b) { return a.expires < b.expires; };
    auto& replaced = *std::min_element(groups_.begin(), groups_.end(), oldest);
    replaced = {.lapses_at_us = got.lapses_at_us, .expires = expires};
    return replaced;
}

void lease_holding::answered(lease_request const& sent, base::instant sent_at, lease_answer const& got, base::instant now,
                             jitter& random) noexcept
{
    under_way_ = false;
    auto const took = std::max(now - sent_at, base::micros{0});
    round_trip_ = round_trip_.count() == 0 ? took : round_trip_ + (took - round_trip_) / 8;
    auto const same_numbers = sent.algorithm == limit_;
    if (!same_numbers) return; // what was granted by the old ones lapses
    if (got.granted > 0) group_of(got, sent_at + without_drift(got.valid_for)).held += got.granted;
    remaining_ = got.remaining;
    reset_at_ = now + got.reset_after;
    if (sent.want == 0) return;
    used_up_from_ = 0;
    // Fewer permits in the whole fleet than this holder alone can use: until some have gathered, asking again is in vain.
    if (got.granted + got.remaining < sent.want) {
        used_up_from_ = got.granted > 0 ? 1 : sent.least;
        hold(now, random);
    }
}

void lease_holding::lost(base::instant now, jitter& random) noexcept
{
    under_way_ = false;
    used_up_from_ = 0;
    hold(now, random); // a store that does not answer is not asked by each request
}

} // namespace penstock::limiter
