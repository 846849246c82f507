#include "limiter/lease_front.hpp"

namespace penstock::limiter {

lease_front::lease_front(asked_store& behind, std::size_t max_keys, base::hash_key secret, fleet_counts& counts)
    : behind_(behind), counts_(counts), account_(max_keys, secret)
{}

bool lease_front::may_be_leased(claim const& asked) noexcept
{
    auto const& limit = *asked.policy;
    return limit.precision == precision::leased && limit.enforce == enforcement::enforce && asked.cost > 0;
}

// ---- requests

bool lease_front::has_at_hand(claim const& asked, base::instant now) noexcept
{
    return may_be_leased(asked) && account_.has_at_hand(asked, now);
}

lease_front::spending lease_front::spend(std::span<claim const> asked, base::instant now)
{
    claim_places to_renew;
    auto spent = decide(asked, now, to_renew);
    // Not before: a call that took the permits of this very request for spent could not have them back.
    for (auto const i : to_renew) send(account_.renew(asked[i], now));
    return spent;
}

// All leased claims are tried on permits at hand, before anything else is asked: what they take is taken back by a word.
lease_front::spending lease_front::decide(std::span<claim const> asked, base::instant now, claim_places& to_renew)
{
    boost::container::static_vector<known_answer, max_claims> at_hand;
    std::optional<known_answer> refused;
    for (std::size_t i = 0; i < asked.size() && !refused; ++i) {
        if (!may_be_leased(asked[i])) continue;
        auto const ruling = account_.spend(asked[i], now);
        if (ruling.renew) to_renew.push_back(i);
        if (ruling.way == lease_way::spent) at_hand.push_back({.place = i, .said = ruling.decision});
        if (ruling.way == lease_way::refused) refused = known_answer{.place = i, .said = ruling.decision};
    }
    if (refused) {
        // What is not taken back stays spent, as a permit does that lapses.
        for (auto const& each : at_hand) static_cast<void>(account_.unspend(asked[each.place], now));
        ++counts_of(counts_, asked[refused->place].policy->name).denials_from_memory;
        return {.known = refused, .part = nullptr};
    }
    if (at_hand.empty()) return {};
    if (at_hand.size() == asked.size()) {
        for (auto const& each : asked) count_admission(each);
    } else {
        for (auto const& each : at_hand) account_.leave_open(asked[each.place]);
    }
    if (asked.size() == 1) return {.known = at_hand.front(), .part = nullptr};
    return {.known = std::nullopt, .part = part_of(asked, at_hand, now)};
}

std::unique_ptr<leased_part> lease_front::part_of(std::span<claim const> asked, std::span<known_answer const> at_hand,
                                                  base::instant now)
{
    auto part = std::make_unique<leased_part>();
    decision unknown;
    unknown.known = false;
    part->at_hand = {.allowed = true, .granted = 1, .now = now, .decisions = {}};
    part->at_hand.decisions.resize(asked.size(), unknown);
    for (auto const& each : at_hand) part->at_hand.decisions[each.place] = each.said;
    for (std::size_t i = 0; i < asked.size(); ++i) {
        if (part->at_hand.decisions[i].known) continue;
        part->rest.push_back(asked[i]);
        part->places.push_back(i);
    }
    return part;
}

base::result<verdict> lease_front::complete(std::span<claim const> asked, leased_part const& part,
                                            base::result<verdict> const& rest, base::instant now)
{
    if (!rest || !rest->allowed) {
        withdraw(asked, part, now);
    } else {
        for (std::size_t i = 0; i < asked.size(); ++i) {
            if (!part.at_hand.decisions[i].known) continue;
            account_.decided(asked[i]);
            count_admission(asked[i]);
        }
    }
    if (!rest) return rest;
    auto all = part.at_hand;
    all.allowed = rest->allowed;
    all.granted = rest->granted;
    all.now = rest->now;
    for (std::size_t i = 0; i < rest->decisions.size(); ++i) all.decisions[part.places[i]] = rest->decisions[i];
    return all;
}

void lease_front::withdraw(std::span<claim const> asked, leased_part const& part, base::instant now)
{
    for (std::size_t i = 0; i < asked.size(); ++i) {
        auto const& at_hand = part.at_hand.decisions[i];
        if (!at_hand.known) continue;
        account_.decided(asked[i]);
        if (now < at_hand.lease_until) static_cast<void>(account_.unspend(asked[i], now));
    }
    if (closed_) close(now);
}

// If the store was told of all permits that are spent, these stay spent, too.
void lease_front::give_back(claim const& what, charge const& taken, base::instant now)
{
    if (now < taken.lease_until && account_.unspend(what, now) && closed_) close(now);
}

void lease_front::note_refusals(std::span<claim const> asked, verdict const& said, base::instant now) noexcept
{
    for (std::size_t i = 0; i < asked.size(); ++i) {
        if (may_be_leased(asked[i]) && said.decisions[i].known && !said.decisions[i].allowed)
            account_.refused_by_store(asked[i], said.decisions[i], now);
    }
}

void lease_front::count_admission(claim const& asked) { ++counts_of(counts_, asked.policy->name).admissions_on_lease; }

// ---- the background

void lease_front::send(lease_request const& wanted)
{
    auto const sent_at = base::clock::now();
    ++under_way_;
    behind_.lease(wanted, [this, wanted, sent_at](base::result<lease_answer> const& got) {
        auto const now = base::clock::now();
        --under_way_;
        if (got) {
            account_.answered(wanted, sent_at, *got, now);
            if (local_)
                local_->note(wanted.key, wanted.algorithm,
                             {.remaining = got->remaining, .at = sent_at, .reset_after = got->reset_after});
        } else {
            account_.lost(wanted, now);
        }
        if (closed_) close(now); // it was on its way as the others went back
    });
}

void lease_front::tick(base::instant now)
{
    if (now < next_sweep_) return;
    next_sweep_ = now + lease_account::sweep_interval;
    std::vector<lease_request> to_send;
    account_.sweep(now, to_send);
    for (auto const& each : to_send) send(each);
}

void lease_front::start_anew(base::instant now)
{
    std::vector<lease_request> to_send;
    account_.start_anew(now, to_send);
    for (auto const& each : to_send) send(each);
}

void lease_front::close(base::instant now)
{
    closed_ = true;
    std::vector<lease_request> to_send;
    account_.close(now, to_send);
    for (auto const& each : to_send) send(each);
}

void lease_front::report_held(fleet_counts& to, base::instant now) const
{
    for (auto const& [limit, permits] : account_.held(now)) counts_of(to, limit).leases_out += permits;
}

} // namespace penstock::limiter
