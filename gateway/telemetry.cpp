#include "gateway/telemetry.hpp"

#include <algorithm>

namespace penstock::gateway {
namespace {

template <class Array>
void add_each(Array& to, Array const& from) noexcept
{
    std::ranges::transform(to, from, to.begin(), std::plus<>{});
}

} // namespace

void histogram::observe(base::micros value) noexcept
{
    auto const seconds = static_cast<double>(value.count()) / 1e6;
    auto const bucket = static_cast<std::size_t>(std::ranges::lower_bound(bounds, seconds) - bounds.begin());
    ++counts[bucket];
    sum += value;
}

void histogram::add(histogram const& other) noexcept
{
    add_each(counts, other.counts);
    sum += other.sum;
}

void telemetry::add(telemetry const& other)
{
    for (auto const& [name, theirs] : other.routes) {
        auto& ours = routes[name];
        add_each(ours.requests, theirs.requests);
        ours.duration.add(theirs.duration);
    }
    for (auto const& [name, theirs] : other.limits) {
        auto& ours = limits[name];
        add_each(ours.decisions, theirs.decisions);
        if (!theirs.queue) continue;
        if (!ours.queue) ours.queue.emplace();
        ours.queue->waiting += theirs.queue->waiting;
        ours.queue->full += theirs.queue->full;
        ours.queue->waited.add(theirs.queue->waited);
    }
    for (auto const& [name, theirs] : other.fleet) {
        fleet[name].denials_from_memory += theirs.denials_from_memory;
        fleet[name].admissions_on_lease += theirs.admissions_on_lease;
        fleet[name].leases_out += theirs.leases_out;
    }
    for (auto const& [name, theirs] : other.upstreams) {
        auto& ours = upstreams[name];
        ours.duration.add(theirs.duration);
        for (auto const& [server, classes] : theirs.servers) add_each(ours.servers[server], classes);
    }
    for (auto const& [reason, count] : other.parse_rejections) parse_rejections[reason] += count;
    add_each(credentials_refused, other.credentials_refused);
    unknown_keys_ignored += other.unknown_keys_ignored;
    for (std::size_t i = 0; i < denied.size(); ++i) add_each(denied[i], other.denied[i]);
    memory_checks += other.memory_checks;
    check_memory.add(other.check_memory);
    check_redis.add(other.check_redis);
    if (other.tokens) {
        if (!tokens) tokens.emplace();
        add_each(*tokens, *other.tokens);
    }
    add_each(unrouted, other.unrouted);
    connections_open += other.connections_open;
    connections_total += other.connections_total;
    forwarded_for_rejected += other.forwarded_for_rejected;
    forwarding_failures += other.forwarding_failures;
}

std::string_view name_of(limiter::outcome result) noexcept
{
    switch (result) {
    case limiter::outcome::allowed: return "allowed";
    case limiter::outcome::refused: return "refused";
    case limiter::outcome::shadow_refused: return "shadow_refused";
    case limiter::outcome::skipped: return "skipped";
    case limiter::outcome::unanswered_allowed: return "unanswered_allowed";
    case limiter::outcome::unanswered_denied: return "unanswered_denied";
    }
    return "unknown";
}

} // namespace penstock::gateway
