#include "conf/failed_attempts.hpp"

#include "conf/route_cover.hpp"

#include <algorithm>

namespace penstock::conf {

namespace {

using partition::entry_source;

bool is_address(partition::entry const& what) noexcept
{
    return what.source == entry_source::client_ip || what.source == entry_source::client_network;
}

// What a caller cannot vary at will: on this route there is one of it, or as many as the route has methods.
bool is_settled(partition::entry const& what, proxy::route const& on) noexcept
{
    switch (what.source) {
    case entry_source::client_ip:
    case entry_source::client_network:
    case entry_source::route:
    case entry_source::everyone: return true;
    case entry_source::host: return has_one_host(on);
    case entry_source::path: return has_one_path(on);
    case entry_source::method: return !on.methods.empty();
    default: return false;
    }
}

bool goes_by_token(limiter::policy const& limit) noexcept
{
    return limit.from_attribute && limit.from_attribute->origin == limiter::attribute_origin::token;
}

bool can_be_first(limiter::term const& term, proxy::route const& on)
{
    auto const& limits = term.first_of;
    return std::all_of(limits.begin(), limits.end(),
                       [&](auto const* limit) { return counts_attempts(*limit, on) && !goes_by_token(*limit); });
}

} // namespace

bool counts_attempts(limiter::policy const& limit, proxy::route const& on) noexcept
{
    auto const& key = limit.key;
    return std::any_of(key.begin(), key.end(), is_address) &&
           std::all_of(key.begin(), key.end(), [&](auto const& entry) { return is_settled(entry, on); }) &&
           !std::holds_alternative<limiter::concurrency>(limit.quota.algorithm);
}

bool can_ask_attempts_first(std::span<limiter::term const> terms, proxy::route const& on)
{
    return std::all_of(terms.begin(), terms.end(), [&](limiter::term const& term) {
        auto const counts = [&](limiter::policy const* limit) { return counts_attempts(*limit, on); };
        return can_be_first(term, on) || std::none_of(term.first_of.begin(), term.first_of.end(), counts);
    });
}

void ask_attempts_first(limiter::plan& plan, proxy::route const& on)
{
    if (!can_ask_attempts_first(plan.terms, on)) return;
    auto const others = std::stable_partition(plan.terms.begin(), plan.terms.end(),
                                              [&](limiter::term const& term) { return can_be_first(term, on); });
    plan.before_auth = static_cast<std::size_t>(others - plan.terms.begin());
}

std::vector<limiter::term> failed_attempts_of(limiter::plan const& plan, proxy::route const& on)
{
    auto const before = limiter::before_auth(plan).terms;
    if (!before.empty()) return {before.begin(), before.end()};
    std::vector<limiter::term> made;
    for (auto const& term : plan.terms) {
        limiter::term counted;
        std::copy_if(term.first_of.begin(), term.first_of.end(), std::back_inserter(counted.first_of),
                     [&](limiter::policy const* limit) { return counts_attempts(*limit, on); });
        if (!counted.first_of.empty()) made.push_back(std::move(counted));
    }
    return made;
}

} // namespace penstock::conf
