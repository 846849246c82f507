#include "limiter/acquire.hpp"

#include <algorithm>

namespace penstock::limiter {
namespace asio = boost::asio;
namespace {

bool in_memory(claim const& asked) noexcept { return asked.policy->scope == scope::instance; }

// Some of a request's claims, side by side as a store wants them, and where each belongs.
struct share {
    limiter::claims claims;
    boost::container::static_vector<std::size_t, max_claims> places;

    template <class Wanted>
    static share of(std::span<claim const> asked, Wanted&& wanted)
    {
        share part;
        for (std::size_t i = 0; i < asked.size(); ++i) {
            if (!wanted(asked[i])) continue;
            part.claims.push_back(asked[i]);
            part.places.push_back(i);
        }
        return part;
    }
};

using answers = boost::container::static_vector<decision const*, max_claims>;

void note(answers& all, share const& part, verdict const& said)
{
    for (std::size_t i = 0; i < part.places.size(); ++i) all[part.places[i]] = &said.decisions[i];
}

bool must_deny(claim const& unanswered) noexcept
{
    return unanswered.policy->on_store_failure == failure_mode::deny && unanswered.policy->enforce == enforcement::enforce;
}

// The fleet's claims were never asked, because a limit in memory had refused already.
admission_ruling refused_in_memory(std::span<claim const> asked, answers const& said)
{
    auto gate = admit(asked, said);
    for (auto& each : gate.rulings) {
        if (!each.answered) each.result = outcome::skipped;
    }
    return gate;
}

} // namespace

bool all_in_memory(std::span<claim const> asked) noexcept { return std::ranges::all_of(asked, in_memory); }

admission_ruling acquire_in_memory(memory_store& memory, std::span<claim const> asked, base::instant now) noexcept
{
    auto const said = memory.acquire(asked, now);
    answers all;
    for (auto const& each : said.decisions) all.push_back(&each);
    return admit(asked, all);
}

asio::awaitable<admission_ruling> acquire(memory_store& memory, store& fleet, std::span<claim const> asked, base::instant deadline)
{
    answers all(asked.size(), nullptr);
    auto const here = share::of(asked, in_memory);
    auto const charged_at = base::clock::now();
    verdict said_here;
    if (!here.claims.empty()) {
        said_here = memory.acquire(here.claims, charged_at);
        note(all, here, said_here);
        if (!said_here.allowed) co_return refused_in_memory(asked, all);
    }
    auto const give_back = [&] {
        if (!here.claims.empty()) memory.refund(here.claims, said_here, charged_at, base::clock::now());
    };

    auto const there = share::of(asked, [](claim const& c) { return !in_memory(c); });
    auto const answered = co_await fleet.acquire(there.claims, deadline);
    if (answered) {
        note(all, there, *answered);
        if (!answered->allowed) give_back();
        co_return admit(asked, all);
    }

    // Nobody answered for the fleet. What must be denied is denied before anything is charged in its place.
    if (std::ranges::any_of(there.claims, must_deny)) {
        give_back();
        co_return admit(asked, all);
    }
    auto const stand_ins = share::of(asked, [](claim const& c) { return !in_memory(c) && c.policy->on_store_failure == failure_mode::local; });
    verdict said_instead;
    if (!stand_ins.claims.empty()) {
        said_instead = memory.acquire(stand_ins.claims, base::clock::now());
        note(all, stand_ins, said_instead);
        if (!said_instead.allowed) give_back();
    }
    co_return admit(asked, all);
}

} // namespace penstock::limiter
