#include "limiter/lease_account.hpp"

#include <algorithm>
#include <bit>

namespace penstock::limiter {

lease_account::lease_account(std::size_t max_keys, base::hash_key secret)
    : sets_(std::bit_ceil(std::max(max_keys / set_size, std::size_t{1}))), secret_(secret), jitter_(secret.k0 ^ secret.k1)
{}

lease_account::key_set& lease_account::set_of(std::string_view key) noexcept
{
    return sets_[base::sip_hash<1, 3>(secret_, key) & (sets_.size() - 1)];
}

lease_holding* lease_account::find(std::string_view key) noexcept
{
    for (auto& entry : set_of(key))
        if (entry.key.view() == key) return &entry.holding;
    return nullptr;
}

lease_holding* lease_account::find_or_add(claim const& asked, base::instant now)
{
    auto& set = set_of(asked.key.view());
    for (auto& entry : set) {
        if (entry.key != asked.key) continue;
        if (entry.holding.limit() == asked.algorithm()) return &entry.holding;
        auto const terms = lease_terms_of(asked.algorithm());
        if (!terms) return nullptr;
        entry.holding.change(asked.algorithm(), *terms);
        return &entry.holding;
    }
    auto const terms = lease_terms_of(asked.algorithm());
    if (!terms) return nullptr;
    followed fresh{asked.key, lease_holding{asked.algorithm(), *terms, now}, asked.policy->name};
    if (set.size() < set_size) {
        ++counts_.keys;
        return &set.emplace_back(std::move(fresh)).holding;
    }
    auto const less_busy = [now](followed const& a, followed const& b) {
        return a.holding.demand(now) < b.holding.demand(now);
    };
    auto& leaves = *std::min_element(set.begin(), set.end(), less_busy);
    if (!leaves.holding.may_go(now)) return nullptr;
    leaves = std::move(fresh);
    return &leaves.holding;
}

lease_ruling lease_account::spend(claim const& asked, base::instant now)
{
    if (closed_) return {};
    auto* holding = find_or_add(asked, now);
    if (!holding) return {};
    auto const ruling = holding->spend(asked.cost, now);
    if (ruling.way == lease_way::spent) counts_.spent += static_cast<std::uint64_t>(asked.cost);
    if (ruling.way == lease_way::refused) ++counts_.refused;
    return ruling;
}

bool lease_account::has_at_hand(claim const& asked, base::instant now) noexcept
{
    auto const* holding = find(asked.key.view());
    return holding && holding->limit() == asked.algorithm() && holding->held(now) >= asked.cost;
}

bool lease_account::unspend(claim const& asked, base::instant now) noexcept
{
    auto* holding = find(asked.key.view());
    // Permits of other numbers than are in force now are never spent again.
    if (!holding || holding->limit() != asked.algorithm() || !holding->unspend(asked.cost, now)) return false;
    counts_.spent -= static_cast<std::uint64_t>(asked.cost);
    return true;
}

void lease_account::leave_open(claim const& asked) noexcept
{
    if (auto* holding = find(asked.key.view())) holding->leave_open(asked.cost);
}

void lease_account::decided(claim const& asked) noexcept
{
    if (auto* holding = find(asked.key.view())) holding->decided(asked.cost);
}

void lease_account::refused_by_store(claim const& asked, decision const& said, base::instant now) noexcept
{
    if (auto* holding = find(asked.key.view())) holding->refused_by_store(asked.cost, said, now, jitter_);
}

lease_request lease_account::renew(claim const& asked, base::instant now) noexcept
{
    lease_request to_send;
    to_send.key = asked.key;
    to_send.algorithm = asked.algorithm();
    if (auto* holding = find(asked.key.view())) holding->take_request(to_send, now);
    for (auto const& report : to_send.reports) counts_.returned += static_cast<std::uint64_t>(report.returned);
    return to_send;
}

void lease_account::answered(lease_request const& sent, base::instant sent_at, lease_answer const& got,
                             base::instant now) noexcept
{
    counts_.granted += static_cast<std::uint64_t>(got.granted);
    if (auto* holding = find(sent.key.view())) holding->answered(sent, sent_at, got, now, jitter_);
}

void lease_account::lost(lease_request const& sent, base::instant now) noexcept
{
    if (auto* holding = find(sent.key.view())) holding->lost(now, jitter_);
}

std::map<std::string, std::int64_t> lease_account::held(base::instant now) const
{
    std::map<std::string, std::int64_t> sums;
    for (auto const& set : sets_)
        for (auto const& entry : set) sums[entry.limit] += entry.holding.held(now);
    return sums;
}

void lease_account::sweep(base::instant now, std::vector<lease_request>& to_send)
{
    collect(to_send, [now](lease_holding& holding, lease_request& request) { return holding.take_return(request, now); });
}

void lease_account::close(base::instant now, std::vector<lease_request>& to_send)
{
    closed_ = true;
    collect(to_send, [now](lease_holding& holding, lease_request& request) { return holding.take_everything(request, now); });
}

void lease_account::start_anew(base::instant now, std::vector<lease_request>& to_send)
{
    collect(to_send, [now](lease_holding& holding, lease_request& request) { return holding.take_everything(request, now); });
    for (auto& set : sets_) set.clear();
    counts_.keys = 0;
}

template <class Take>
void lease_account::collect(std::vector<lease_request>& to_send, Take take)
{
    for (auto& set : sets_) {
        for (auto& entry : set) {
            lease_request request;
            if (!take(entry.holding, request)) continue;
            request.key = entry.key;
            for (auto const& report : request.reports) counts_.returned += static_cast<std::uint64_t>(report.returned);
            to_send.push_back(request);
        }
    }
}

} // namespace penstock::limiter
