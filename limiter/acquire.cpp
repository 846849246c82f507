#include "limiter/acquire.hpp"

#include "limiter/classify.hpp"

#include <algorithm>

namespace penstock::limiter {
namespace asio = boost::asio;
namespace {

bool in_memory(claim const& asked) noexcept { return asked.policy->scope == scope::instance; }
bool in_fleet(claim const& asked) noexcept { return !in_memory(asked); }

bool denied_without_fleet(claim const& asked) noexcept
{
    auto const& limit = *asked.policy;
    return in_fleet(asked) && limit.on_store_failure == failure_mode::deny && limit.enforce == enforcement::enforce;
}

bool counted_here_without_fleet(claim const& asked) noexcept
{
    return in_fleet(asked) && asked.policy->on_store_failure == failure_mode::local;
}

// Some of a request's claims, side by side as a store wants them, and where each belongs.
struct share {
    limiter::claims claims;
    boost::container::static_vector<std::size_t, max_claims> places;

    share(std::span<claim const> asked, bool (*wanted)(claim const&))
    {
        for (std::size_t i = 0; i < asked.size(); ++i) {
            if (!wanted(asked[i])) continue;
            claims.push_back(asked[i]);
            places.push_back(i);
        }
    }
};

using answers = boost::container::static_vector<answer, max_claims>;

bool is_concurrency(claim const& asked) noexcept { return std::holds_alternative<concurrency>(asked.algorithm()); }

// Of these claims permits may have been given back: whoever waits for one is to look.
void tell_waiting(stores const& from, std::span<claim const> given_back) noexcept
{
    if (!from.waiting) return;
    for (auto const& each : given_back) {
        if (is_concurrency(each)) from.waiting->released(each.key);
    }
}

// To the shard that was charged, which need not be the one asked for.
void give_back_to_fleet(store& fleet, claim const& asked, unsigned shards_on, charge const& taken) noexcept
{
    if (shards_on == 0) return fleet.give_back(asked, taken);
    auto charged = asked;
    for (; shards_on > 0; --shards_on) move_to_next_shard(charged);
    fleet.give_back(charged, taken);
}

constexpr answer not_asked{.by = answerer::nobody, .said = nullptr, .at = {}, .asked = false};

answer answer_of(answerer by, verdict const& said, std::size_t index) noexcept
{
    auto const& one = said.decisions[index];
    return one.known ? answer{by, &one, said.now - base::micros{one.clock_behind_us}} : not_asked;
}

void note(answers& all, share const& part, answerer by, verdict const& said)
{
    for (std::size_t i = 0; i < part.places.size(); ++i) all[part.places[i]] = answer_of(by, said, i);
}

admission_ruling admit_as_told(std::span<claim const> asked, answerer by, verdict const& said) noexcept
{
    answers all;
    for (std::size_t i = 0; i < said.decisions.size(); ++i) all.push_back(answer_of(by, said, i));
    return admit(asked, all);
}

// Permits that the fleet has granted also count against this gateway's share, should its store fail while they are held.
void note_held(stores const& from, std::span<claim const> asked, admission_ruling const& gate)
{
    if (gate.verdict != admission_ruling::kind::admitted) return;
    for (std::size_t i = 0; i < asked.size(); ++i) {
        auto const& one = gate.rulings[i];
        if (is_concurrency(asked[i]) && one.by == answerer::fleet && one.result == outcome::allowed &&
            counted_here_without_fleet(asked[i]))
            from.local->hold(asked[i], base::clock::now());
    }
}

// Nobody answered for the fleet. What must be denied is denied before anything is charged in its place. `said` holds what
// memory has answered for its own claims.
admission_ruling admit_without_fleet(stores const& from, std::span<claim const> asked, answers said)
{
    if (std::ranges::any_of(asked, denied_without_fleet)) return admit(asked, said);
    share const stand_ins(asked, counted_here_without_fleet);
    if (stand_ins.claims.empty()) return admit(asked, said);
    auto const said_instead = from.local->acquire(stand_ins.claims, base::clock::now());
    note(said, stand_ins, answerer::memory, said_instead);
    for (std::size_t i = 0; said_instead.allowed && i < stand_ins.claims.size(); ++i) {
        // The store is told of permits that are held, as soon as it can be told.
        if (is_concurrency(stand_ins.claims[i]) && said_instead.decisions[i].allowed) from.fleet->hold(stand_ins.claims[i]);
    }
    return admit(asked, said);
}

admission_ruling admit_fleet(stores const& from, std::span<claim const> asked, base::result<verdict> const& answered)
{
    if (!answered) return admit_without_fleet(from, asked, answers(asked.size()));
    auto gate = admit_as_told(asked, answerer::fleet, *answered);
    note_held(from, asked, gate);
    return gate;
}

// The hot path: no copy of a claim, and a frame that Asio finds in its cache (the failure path's variables are not in it).
asio::awaitable<void> acquire_in_fleet(stores from, std::span<claim const> asked, base::instant deadline,
                                       admission_ruling& gate)
{
    auto const answered = co_await from.fleet->acquire(asked, deadline);
    gate = admit_fleet(from, asked, answered);
}

asio::awaitable<void> acquire_in_both(stores from, std::span<claim const> asked, base::instant deadline, admission_ruling& gate)
{
    share const here(asked, in_memory);
    auto const said_here = from.memory.acquire(here.claims, base::clock::now());
    answers said(asked.size());
    note(said, here, answerer::memory, said_here);
    if (!said_here.allowed) {
        for (auto& each : said) { // the fleet is not asked any more
            if (each.by == answerer::nobody) each = not_asked;
        }
        gate = admit(asked, said);
        co_return;
    }

    share const there(asked, in_fleet);
    auto const answered = co_await from.fleet->acquire(there.claims, deadline);
    if (answered) {
        note(said, there, answerer::fleet, *answered);
        gate = admit(asked, said);
        note_held(from, asked, gate);
    } else {
        gate = admit_without_fleet(from, asked, said);
    }
    if (gate.verdict != admission_ruling::kind::admitted) {
        from.memory.refund(here.claims, said_here, base::clock::now());
        tell_waiting(from, here.claims);
    }
}

} // namespace

bool all_in_memory(std::span<claim const> asked) noexcept { return std::ranges::all_of(asked, in_memory); }

admission_ruling acquire_in_memory(memory_store& memory, std::span<claim const> asked, base::instant now) noexcept
{
    return admit_as_told(asked, answerer::memory, memory.acquire(asked, now));
}

asio::awaitable<void> acquire(stores from, std::span<claim const> asked, base::instant deadline, admission_ruling& gate)
{
    auto const mixed = std::ranges::any_of(asked, in_memory);
    return mixed ? acquire_in_both(from, asked, deadline, gate) : acquire_in_fleet(from, asked, deadline, gate);
}

void give_back(stores const& from, std::span<claim const> asked, admission_ruling const& gate, extent what) noexcept
{
    for (std::size_t i = 0; i < asked.size(); ++i) {
        auto const& one = gate.rulings[i];
        if (one.result != outcome::allowed || !one.answered()) continue;
        if (what == extent::permits && !is_concurrency(asked[i])) continue;
        charge const taken{.cost = asked[i].cost,
                           .at = one.at,
                           .reset_after = one.decision.reset_after,
                           .lease_until = one.decision.lease_until};
        auto const now = base::clock::now();
        auto const counted_here = counted_here_without_fleet(asked[i]);
        if (one.by == answerer::fleet) {
            give_back_to_fleet(*from.fleet, asked[i], one.decision.shards_on, taken);
            if (is_concurrency(asked[i]) && counted_here) from.local->release(asked[i], now);
        } else if (counted_here) { // in the fleet's place
            from.local->give_back(asked[i], taken, now);
            if (is_concurrency(asked[i])) from.fleet->give_back(asked[i], taken);
        } else {
            from.memory.give_back(asked[i], taken, now);
        }
        tell_waiting(from, asked.subspan(i, 1));
    }
}

} // namespace penstock::limiter
