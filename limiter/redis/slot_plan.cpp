#include "limiter/redis/slot_plan.hpp"

#include "limiter/redis/codec.hpp"

#include <algorithm>

namespace penstock::limiter::redis {
namespace {

// The claim as it would stand if its charge had not been.
decision without_charge(claim const& asked, decision said) noexcept
{
    if (!said.allowed || asked.cost <= 0) return said;
    auto const burst = burst_of(asked.algorithm());
    said.remaining = std::min(said.remaining + asked.cost, burst);
    if (std::holds_alternative<concurrency>(asked.algorithm())) return said;
    if (said.remaining == burst)
        said.reset_after = base::micros{0};
    else if (auto const* bucket = std::get_if<token_bucket>(&asked.algorithm()))
        said.reset_after = std::max(said.reset_after - base::micros{asked.cost * bucket->interval_us}, base::micros{0});
    return said;
}

} // namespace

std::optional<cluster_slot> only_slot_of(std::span<claim const> asked) noexcept
{
    auto const tag = hashed_part(asked.front().key.view());
    auto const slot = slot_of(asked.front().key.view());
    for (auto const& other : asked.subspan(1)) {
        if (hashed_part(other.key.view()) != tag && slot_of(other.key.view()) != slot) return std::nullopt;
    }
    return slot;
}

void slot_plan::split_by_slot(std::span<claim const> asked)
{
    boost::container::static_vector<cluster_slot, max_claims> slots;
    for (auto const& each : asked) slots.push_back(slot_of(each.key.view()));
    claims_.clear();
    places_.clear();
    parts_.clear();
    for (std::size_t i = 0; i < asked.size(); ++i) {
        if (std::find(slots.begin(), slots.begin() + static_cast<std::ptrdiff_t>(i), slots[i]) !=
            slots.begin() + static_cast<std::ptrdiff_t>(i))
            continue; // is in a part already
        part next{slots[i], static_cast<std::uint8_t>(claims_.size()), 0};
        for (auto k = i; k < asked.size(); ++k) {
            if (slots[k] != slots[i]) continue;
            claims_.push_back(asked[k]);
            places_.push_back(static_cast<std::uint8_t>(k));
            ++next.count;
        }
        parts_.push_back(next);
    }
}

slot_plan::part_list slot_plan::split_by_key(part const& whole)
{
    boost::container::static_vector<partition::partition_key, max_claims> keys;
    for (auto const& each : claims_of(whole)) keys.push_back(counter_key(each));
    limiter::claims claims;
    boost::container::static_vector<std::uint8_t, max_claims> places;
    part_list parts;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        if (std::find(keys.begin(), keys.begin() + static_cast<std::ptrdiff_t>(i), keys[i]) !=
            keys.begin() + static_cast<std::ptrdiff_t>(i))
            continue;
        part next{whole.slot, static_cast<std::uint8_t>(whole.first + claims.size()), 0};
        for (auto k = i; k < keys.size(); ++k) {
            if (!(keys[k] == keys[i])) continue;
            claims.push_back(claims_[whole.first + k]);
            places.push_back(places_[whole.first + k]);
            ++next.count;
        }
        parts.push_back(next);
    }
    std::copy(claims.begin(), claims.end(), claims_.begin() + whole.first);
    std::copy(places.begin(), places.end(), places_.begin() + whole.first);
    return parts;
}

base::result<verdict> merge(std::size_t claims, std::span<part_answer const> parts)
{
    auto refused = false;
    part_answer const* failed = nullptr;
    for (auto const& part : parts) {
        if (!*part.said)
            failed = failed ? failed : &part;
        else if (!(*part.said)->allowed)
            refused = true;
    }
    if (failed && !refused) return failed->said->error();

    base::result<verdict> whole{verdict{}};
    whole->allowed = !refused;
    whole->granted = refused ? 0 : 1;
    whole->now = base::instant::min();
    for (auto const& part : parts) {
        if (*part.said) whole->now = std::max(whole->now, (*part.said)->now);
    }
    whole->decisions.resize(claims);
    for (auto const& part : parts) {
        for (std::size_t i = 0; i < part.asked.size(); ++i) {
            auto& one = whole->decisions[part.places[i]];
            if (!*part.said) {
                one.known = false;
                continue;
            }
            auto const& said = **part.said;
            auto const in_vain = refused && said.allowed;
            one = in_vain ? without_charge(part.asked[i], said.decisions[i]) : said.decisions[i];
            one.clock_behind_us =
                static_cast<std::int32_t>(std::min<std::int64_t>((whole->now - said.now).count(), 0x7fffffff));
        }
    }
    return whole;
}

bool is_charged_in_vain(part_answer const& part, base::result<verdict> const& whole) noexcept
{
    return *part.said && (*part.said)->allowed && (!whole || !whole->allowed);
}

std::optional<charge> charge_of(part_answer const& part, std::size_t index) noexcept
{
    auto const& said = **part.said;
    auto const cost = part.asked[index].cost;
    if (!said.decisions[index].allowed || cost <= 0) return std::nullopt;
    return charge{.cost = cost, .at = said.now, .reset_after = said.decisions[index].reset_after};
}

} // namespace penstock::limiter::redis
