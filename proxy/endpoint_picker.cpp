#include "proxy/endpoint_picker.hpp"

#include <algorithm>

namespace penstock::proxy {
namespace {

constexpr base::micros first_rest{1'000'000};
constexpr base::micros longest_rest{10'000'000};

} // namespace

endpoint_picker::endpoint_picker(upstream_spec const& spec) : how_(spec.balance)
{
    loads_.resize(spec.servers.size());
    for (std::size_t i = 0; i < loads_.size(); ++i) loads_[i].weight = std::max(1U, spec.servers[i].weight);
}

std::optional<std::size_t> endpoint_picker::pick(base::instant now, std::optional<std::size_t> not_this) noexcept
{
    if (loads_.size() == 1) return std::size_t{0};

    std::optional<std::size_t> best;
    std::int64_t total = 0;
    auto const start = next_++ % loads_.size();
    for (std::size_t n = 0; n < loads_.size(); ++n) {
        auto const i = (start + n) % loads_.size();
        auto& candidate = loads_[i];
        if (is_resting(i, now) || i == not_this) continue;
        if (how_ == balance::round_robin) {
            candidate.credit += candidate.weight;
            total += candidate.weight;
            if (!best || candidate.credit > loads_[*best].credit) best = i;
        } else if (!best || candidate.in_flight * loads_[*best].weight < loads_[*best].in_flight * candidate.weight) {
            best = i;
        }
    }
    if (best && how_ == balance::round_robin) loads_[*best].credit -= total;
    if (!best && not_this && !is_resting(*not_this, now)) return not_this;
    return best;
}

void endpoint_picker::failed(std::size_t endpoint, base::instant now) noexcept
{
    if (loads_.size() == 1) return; // resting would only turn "refused" into "none healthy"
    auto& failing = loads_[endpoint];
    auto const doublings = std::min(failing.failures++, 10U);
    failing.rests_until = now + std::min(first_rest * (1 << doublings), longest_rest);
}

void endpoint_picker::succeeded(std::size_t endpoint) noexcept
{
    loads_[endpoint].failures = 0;
    loads_[endpoint].rests_until = {};
}

} // namespace penstock::proxy
