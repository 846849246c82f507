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

// The same for every request of a caller to one place.
bool is_fixed(partition::entry const& what, proxy::route const& on) noexcept
{
    return is_address(what) || what.source == entry_source::route || (what.source == entry_source::host && has_one_host(on));
}

} // namespace

bool counts_attempts(limiter::policy const& limit, proxy::route const& on) noexcept
{
    auto const& key = limit.key;
    return std::any_of(key.begin(), key.end(), is_address) &&
           std::all_of(key.begin(), key.end(), [&](auto const& entry) { return is_fixed(entry, on); }) &&
           !std::holds_alternative<limiter::concurrency>(limit.quota.algorithm);
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
