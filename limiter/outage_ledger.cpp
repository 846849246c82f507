#include "limiter/outage_ledger.hpp"

#include <algorithm>
#include <utility>

namespace penstock::limiter {
namespace {

constexpr std::size_t looked_at_for_room = 8;

constexpr std::size_t passed_over_in_a_stripe = 64;

} // namespace

claim claim_of(outage_debt const& debt, policy const& by) noexcept
{
    claim made;
    made.policy = &by;
    made.numbers = &debt.whole;
    made.key.append(debt.key);
    made.identity_end = debt.identity_end;
    return made;
}

void outage_ledger::note_numbers(entry& of, algorithm const& numbers, base::instant now)
{
    auto& debt = of.debt;
    debt.whole = numbers;
    of.matters_until = now + std::chrono::seconds(window_seconds_of(numbers));
    auto* const window = std::get_if<calendar_window>(&debt.whole);
    if (!window) return;
    // Its own, because the snapshot's may be gone by the time it is charged.
    auto const near = moment_of(*window->calendar, now);
    if (!debt.days || debt.days->starts[1] != near.start)
        debt.days = std::make_shared<calendar const>(
            calendar{window->calendar->unit, {}, {near.before, near.start, near.end, near.after}});
    window->calendar = debt.days.get();
}

outage_ledger::outage_ledger(std::size_t most) : most_in_stripe_(std::max<std::size_t>(most / stripe_count, 1)) {}

bool outage_ledger::make_room(stripe& in, base::instant now)
{
    if (in.debts.size() < most_in_stripe_) return true;
    auto at = in.debts.begin();
    for (std::size_t i = 0; i < looked_at_for_room && at != in.debts.end(); ++i) {
        if (at->second.taken || at->second.matters_until > now) {
            ++at;
            continue;
        }
        at = erase(in, at);
    }
    return in.debts.size() < most_in_stripe_;
}

outage_ledger::entries::iterator outage_ledger::erase(stripe& in, entries::iterator which)
{
    size_.fetch_sub(1, std::memory_order_relaxed);
    if (which->second.is_refused) refused_.fetch_sub(1, std::memory_order_relaxed);
    return in.debts.erase(which);
}

outage_ledger::entry* outage_ledger::find_or_add(stripe& in, claim const& asked, base::instant now, bool& added)
{
    auto found = in.debts.find(asked.key.view());
    if (found == in.debts.end()) {
        if (!make_room(in, now)) return nullptr;
        found = in.debts.emplace(std::string(asked.key.view()), entry{}).first;
        found->second.debt.identity_end = asked.identity_end;
        size_.fetch_add(1, std::memory_order_relaxed);
        added = true;
    }
    found->second.debt.packed_id = asked.policy->packed_id;
    note_numbers(found->second, asked.algorithm(), now);
    return &found->second;
}

outage_ledger::entered outage_ledger::enter(claim const& asked, std::uint64_t tag, base::instant now,
                                            std::function<void()> const& begin)
{
    auto& in = stripe_of(tag);
    std::lock_guard const held{in.mutex};
    bool added = false;
    auto const* const found = find_or_add(in, asked, now, added);
    if (!found) return {};
    if (added) begin();
    return {.has_begun = added, .counted = found->debt.counted};
}

bool outage_ledger::charge(claim const& asked, std::uint64_t tag, last_answer const& counted, base::instant now)
{
    auto& in = stripe_of(tag);
    std::lock_guard const held{in.mutex};
    bool added = false;
    auto* const found = find_or_add(in, asked, now, added);
    if (!found) return false;
    found->debt.permits += asked.cost;
    found->debt.counted = counted;
    return true;
}

void outage_ledger::forgive(claim const& asked, std::uint64_t tag, std::int64_t permits) noexcept
{
    auto& in = stripe_of(tag);
    std::lock_guard const held{in.mutex};
    auto const found = in.debts.find(asked.key.view());
    if (found == in.debts.end()) return;
    auto& debt = found->second.debt;
    if (debt.counted) debt.counted->remaining += permits;
    debt.permits =
        std::max<std::int64_t>(debt.permits - permits, 0); // if it was told of them already, a caller has less than it may
}

outage_debt outage_ledger::hand_out(entries::value_type& from)
{
    auto& [key, known] = from;
    known.taken = true;
    auto debt = known.debt;
    debt.key = key;
    known.debt.permits = 0;
    return debt;
}

std::optional<outage_debt> outage_ledger::take(claim const& asked, std::uint64_t tag)
{
    auto& in = stripe_of(tag);
    std::lock_guard const held{in.mutex};
    auto const found = in.debts.find(asked.key.view());
    if (found == in.debts.end() || found->second.taken || found->second.is_refused) return std::nullopt;
    return hand_out(*found);
}

void outage_ledger::take_from(stripe& in, std::size_t most, std::function<bool(claim const&)> const& wanted, base::instant now,
                              std::vector<outage_debt>& to)
{
    policy by;
    auto const about = [&by](std::string const& key, entry const& known) {
        by.packed_id = known.debt.packed_id;
        auto made = claim_of(known.debt, by);
        made.key.append(key);
        return made;
    };
    std::lock_guard const held{in.mutex};
    std::size_t passed_over = 0;
    auto at = in.debts.find(in.next);
    for (auto left = in.debts.size(); left > 0; --left) {
        if (at == in.debts.end()) at = in.debts.begin();
        if (to.size() == most || passed_over == passed_over_in_a_stripe) {
            in.next = at->first;
            return;
        }
        auto& [key, known] = *at;
        if (known.is_refused && known.matters_until <= now) {
            at = erase(in, at);
            continue;
        }
        if (known.is_refused || (!known.taken && !wanted(about(key, known))))
            ++passed_over;
        else if (!known.taken)
            to.push_back(hand_out(*at));
        ++at;
    }
    in.next.clear();
}

std::vector<outage_debt> outage_ledger::take_some(std::size_t most, std::function<bool(claim const&)> const& wanted,
                                                  base::instant now)
{
    std::vector<outage_debt> taken;
    for (std::size_t i = 0; i < stripe_count && taken.size() < most; ++i)
        take_from(stripes_[next_stripe_.fetch_add(1, std::memory_order_relaxed) % stripe_count], most, wanted, now, taken);
    return taken;
}

bool outage_ledger::settle(outage_debt const& taken, std::uint64_t tag, std::int64_t owed)
{
    auto& in = stripe_of(tag);
    std::lock_guard const held{in.mutex};
    auto const found = in.debts.find(taken.key);
    if (found == in.debts.end()) return false;
    found->second.taken = false;
    found->second.debt.permits += owed;
    if (found->second.debt.permits == 0 && owed == 0) erase(in, found);
    return true;
}

bool outage_ledger::refuse(outage_debt const& taken, std::uint64_t tag)
{
    auto& in = stripe_of(tag);
    std::lock_guard const held{in.mutex};
    auto const found = in.debts.find(taken.key);
    if (found == in.debts.end()) return false;
    found->second.taken = false;
    found->second.debt.permits += taken.permits;
    if (!std::exchange(found->second.is_refused, true)) refused_.fetch_add(1, std::memory_order_relaxed);
    return true;
}

void outage_ledger::answered(std::string_view key, std::uint64_t tag) noexcept
{
    auto& in = stripe_of(tag);
    std::lock_guard const held{in.mutex};
    auto const found = in.debts.find(key);
    if (found == in.debts.end()) return;
    if (std::exchange(found->second.is_refused, false)) refused_.fetch_sub(1, std::memory_order_relaxed);
}

std::int64_t outage_ledger::drop(std::function<bool(std::string_view)> const& unwanted)
{
    std::int64_t owed = 0;
    for (auto& in : stripes_) {
        std::lock_guard const held{in.mutex};
        for (auto at = in.debts.begin(); at != in.debts.end();) {
            if (!unwanted(at->first)) {
                ++at;
                continue;
            }
            owed += at->second.debt.permits;
            at = erase(in, at);
        }
    }
    return owed;
}

} // namespace penstock::limiter
