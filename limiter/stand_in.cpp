#include "limiter/stand_in.hpp"

#include <algorithm>
#include <random>

namespace penstock::limiter {
namespace {

base::hash_key random_hash_key()
{
    std::random_device random;
    auto const word = [&random] { return std::uint64_t{random()} << 32 | random(); };
    return {.k0 = word(), .k1 = word()};
}

bool is_concurrency(algorithm const& limit) noexcept { return std::holds_alternative<concurrency>(limit); }

bool is_enforced(claim const& asked) noexcept { return asked.policy->enforce == enforcement::enforce; }

// This gateway has no permit of that limit, or never so many; another may have, and so may this one when the store is back.
decision refusal() noexcept { return {.allowed = false, .retry_after = permit_retry}; }

// Claims as they are held to this gateway's share, and where each stands among those asked. At most once on a stack.
struct shared_claims {
    boost::container::static_vector<algorithm, max_claims> numbers; // that the claims point to
    limiter::claims claims;
    boost::container::static_vector<std::size_t, max_claims> places;
    std::optional<std::size_t> without; // an enforced claim of which this gateway has no share

    shared_claims(std::span<claim const> asked, fleet_part const& part)
    {
        for (std::size_t i = 0; i < asked.size(); ++i) {
            auto const share = outage_share(asked[i].algorithm(), asked[i].key.view(), part);
            if (!share) {
                if (is_enforced(asked[i])) without = i;
                continue;
            }
            numbers.push_back(*share);
            claims.push_back(asked[i]);
            claims.back().numbers = &numbers.back();
            places.push_back(i);
        }
    }
    shared_claims(shared_claims const&) = delete;
    shared_claims& operator=(shared_claims const&) = delete;
};

} // namespace

stand_in::stand_in(memory_store& memory, std::size_t most_counters)
    : memory_(memory), secret_(random_hash_key()), ledger_(most_counters)
{}

void stand_in::set_part(fleet_part part) noexcept
{
    part_.store(std::uint64_t{part.gateways} << 32 | part.place, std::memory_order_relaxed);
}

fleet_part stand_in::part() const noexcept
{
    auto const both = part_.load(std::memory_order_relaxed);
    return {.gateways = static_cast<std::uint32_t>(both >> 32), .place = static_cast<std::uint32_t>(both)};
}

std::uint64_t stand_in::tag_of(std::string_view key) const noexcept
{
    return std::max<std::uint64_t>(base::sip_hash<1, 3>(secret_, key), 1);
}

// ---- while the store does not answer

verdict stand_in::acquire(std::span<claim const> asked, base::instant now)
{
    shared_claims const mine(asked, part());
    decision unknown;
    unknown.known = false;
    verdict result{.allowed = true, .granted = 1, .now = now, .decisions = {}};
    result.decisions.resize(asked.size(), unknown);
    if (mine.without) {
        result.allowed = false;
        result.decisions[*mine.without] = refusal();
        return result;
    }
    for (std::size_t i = 0; i < asked.size(); ++i) result.decisions[i] = refusal(); // in shadow, if it stays
    for (std::size_t i = 0; i < mine.claims.size(); ++i) enter(mine.claims[i], asked[mine.places[i]], now);
    auto const said = memory_.acquire(mine.claims, now);
    result.allowed = said.allowed;
    result.now = said.now;
    for (std::size_t i = 0; i < mine.claims.size(); ++i) {
        auto const& whole = asked[mine.places[i]];
        auto& one = result.decisions[mine.places[i]];
        one = said.decisions[i];
        if (one.retry_after == never && whole.cost <= burst_of(whole.algorithm())) one.retry_after = permit_retry;
        if (said.allowed && one.allowed) record(whole, said.decisions[i], said.now);
    }
    return result;
}

// Held permits are there already, and no other store knows them better.
void stand_in::enter(claim const& mine, claim const& asked, base::instant now)
{
    if (is_concurrency(asked.algorithm())) return;
    auto const tag = tag_of(asked.key.view());
    auto const begin_as = [&](memory_store::existing counter) {
        memory_.begin(mine, outage_entry(mine.algorithm(), burst_of(asked.algorithm()), answers_.find(tag), now), counter, now);
    };
    // What an earlier outage has left is older than what the store has said since.
    auto const entered = ledger_.enter(asked, tag, now, [&] { begin_as(memory_store::existing::replaced); });
    if (entered.counted)
        restore(mine, entered.counted, now);
    else if (!entered.has_begun)
        begin_as(memory_store::existing::kept);
}

// A counter that memory had no room for any more goes on from where it was: full, it would admit everything anew.
void stand_in::restore(claim const& mine, std::optional<last_answer> const& counted, base::instant now)
{
    if (!counted || counted->at + counted->reset_after <= now || memory_.keeps(mine)) return;
    memory_.begin(mine, counter_after(mine.algorithm(), *counted, now), memory_store::existing::kept, now);
}

void stand_in::record(claim const& asked, decision const& said, base::instant now)
{
    if (asked.cost == 0 || is_concurrency(asked.algorithm())) return;
    last_answer const counted{.remaining = said.remaining, .at = now, .reset_after = said.reset_after};
    if (!ledger_.charge(asked, tag_of(asked.key.view()), counted, now)) lose(asked.cost);
}

void stand_in::give_back(claim const& what, charge const& taken, base::instant now) noexcept
{
    if (is_concurrency(what.algorithm())) return release(what, now);
    auto const share = outage_share(what.algorithm(), what.key.view(), part());
    if (!share) return;
    auto mine = what;
    mine.numbers = &*share;
    memory_.give_back(mine, taken, now);
    if (!ledger_.empty()) ledger_.forgive(what, tag_of(what.key.view()), taken.cost);
}

// ---- while it answers

void stand_in::note(partition::partition_key const& key, algorithm const& limit, last_answer const& said) noexcept
{
    if (ledger_.has_refused()) ledger_.answered(key.view(), tag_of(key.view()));
    // Half full is what an outage takes for granted of a counter that it knows nothing of; and what was said of it before, when it
    // was emptier, has refilled by now.
    if (said.remaining >= burst_of(limit) - said.remaining) return;
    answers_.note(tag_of(key.view()), said);
}

void stand_in::note(std::span<claim const> asked, verdict const& said, base::instant at) noexcept
{
    for (std::size_t i = 0; i < asked.size(); ++i) {
        auto const& one = said.decisions[i];
        if (!one.known || asked[i].policy->on_store_failure != failure_mode::local) continue;
        if (is_concurrency(asked[i].algorithm())) continue;
        note(asked[i].key, asked[i].algorithm(), {.remaining = one.remaining, .at = at, .reset_after = one.reset_after});
    }
}

void stand_in::hold(claim const& what, base::instant now) noexcept { memory_.hold(what, now); }

void stand_in::release(claim const& what, base::instant now) noexcept
{
    memory_.give_back(what, {.cost = what.cost, .at = now, .reset_after = {}}, now);
}

// ---- when it can be asked again

// How far the counter is from full here: what has refilled since it was charged, the store has no need to know.
std::int64_t stand_in::missing(outage_debt const& of, base::instant now)
{
    auto const share = outage_share(of.whole, of.key, part());
    if (!share) return 0;
    policy const plain;
    auto look = claim_of(of, plain);
    look.numbers = &*share;
    look.cost = 0;
    restore(look, of.counted, now);
    return burst_of(*share) - memory_.acquire({&look, 1}, now).decisions.front().remaining;
}

// If not, it is settled.
bool stand_in::is_worth_telling(outage_debt& debt, base::instant now)
{
    debt.permits = std::min(debt.permits, missing(debt, now));
    if (debt.permits > 0) return true;
    ledger_.settle(debt, tag_of(debt.key), 0);
    return false;
}

std::optional<outage_debt> stand_in::take(claim const& asked, base::instant now)
{
    auto debt = ledger_.take(asked, tag_of(asked.key.view()));
    if (debt && !is_worth_telling(*debt, now)) debt.reset();
    return debt;
}

std::vector<outage_debt> stand_in::take_some(std::size_t most, std::function<bool(claim const&)> const& can, base::instant now)
{
    auto taken = ledger_.take_some(most, can, now);
    std::erase_if(taken, [&](outage_debt& each) { return !is_worth_telling(each, now); });
    return taken;
}

void stand_in::handed_over(outage_debt const& debt, std::int64_t granted)
{
    handed_over_.fetch_add(static_cast<std::uint64_t>(granted), std::memory_order_relaxed);
    ledger_.settle(debt, tag_of(debt.key), 0);
}

void stand_in::not_handed_over(outage_debt const& debt)
{
    if (!ledger_.settle(debt, tag_of(debt.key), debt.permits)) lose(debt.permits);
}

void stand_in::refused_to_take(outage_debt const& debt)
{
    if (!ledger_.refuse(debt, tag_of(debt.key))) lose(debt.permits);
}

void stand_in::lose(std::int64_t permits) noexcept
{
    not_recorded_.fetch_add(static_cast<std::uint64_t>(permits), std::memory_order_relaxed);
}

void stand_in::keep_only(std::string_view prefix)
{
    if (ledger_.empty()) return;
    lose(ledger_.drop([prefix](std::string_view key) { return !key.starts_with(prefix); }));
}

stand_in::counts stand_in::count() const noexcept
{
    return {.gateways = part().gateways,
            .owed = ledger_.size(),
            .handed_over = handed_over_.load(std::memory_order_relaxed),
            .not_recorded = not_recorded_.load(std::memory_order_relaxed)};
}

} // namespace penstock::limiter
