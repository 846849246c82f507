#include "gateway/metrics.hpp"

#include "gateway/access_record.hpp"
#include "gateway/version.hpp"
#include "limiter/error.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace penstock::gateway {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using labels = std::vector<std::pair<std::string, std::string>>;

class families {
public:
    MetricFamily& add(std::string name, std::string help, MetricType type)
    {
        all_.push_back({"penstock_" + std::move(name), std::move(help), type, {}});
        return all_.back();
    }
    [[nodiscard]] std::vector<MetricFamily> const& all() const noexcept { return all_; }

private:
    std::vector<MetricFamily> all_;
};

ClientMetric& sample(MetricFamily& family, labels const& named)
{
    auto& made = family.metric.emplace_back();
    for (auto const& [name, value] : named) made.label.push_back({name, value});
    return made;
}

void counter(MetricFamily& family, labels const& named, std::uint64_t value)
{
    sample(family, named).counter.value = static_cast<double>(value);
}

void gauge(MetricFamily& family, labels const& named, double value) { sample(family, named).gauge.value = value; }

void distribution(MetricFamily& family, labels const& named, histogram const& seen)
{
    auto& made = sample(family, named).histogram;
    std::uint64_t cumulative = 0;
    for (std::size_t i = 0; i < seen.counts.size(); ++i) {
        cumulative += seen.counts[i];
        auto const bound = i < histogram::bounds.size() ? histogram::bounds[i] : std::numeric_limits<double>::infinity();
        made.bucket.push_back({cumulative, bound});
    }
    made.sample_count = cumulative;
    made.sample_sum = static_cast<double>(seen.sum.count()) / 1e6;
}

std::string class_name(std::size_t status_class) { return status_class == 0 ? "none" : std::to_string(status_class) + "xx"; }

void add_classes(MetricFamily& family, labels const& named, status_classes const& counts)
{
    for (std::size_t i = 0; i < counts.size(); ++i) {
        if (counts[i] == 0) continue;
        auto full = named;
        full.emplace_back("status_class", class_name(i));
        counter(family, full, counts[i]);
    }
}

void add_denials(families& out, telemetry const& total)
{
    auto& denied = out.add("denied_total", "Requests turned away by a deny list, by what it names and what was done.",
                           MetricType::Counter);
    for (auto const what : {denied_by::address, denied_by::api_key}) {
        auto const& counts = total.denied[static_cast<std::size_t>(what)];
        counter(denied, {{"by", std::string(name_of(what))}, {"action", "reject"}}, counts[0]);
        counter(denied, {{"by", std::string(name_of(what))}, {"action", "close"}}, counts[1]);
    }
}

void add_traffic(families& out, telemetry const& total)
{
    auto& requests = out.add("requests_total", "Requests by route and class of the status sent; route none: no route matched.",
                             MetricType::Counter);
    for (auto const& [name, counts] : total.routes) add_classes(requests, {{"route", name}}, counts.requests);
    add_classes(requests, {{"route", "none"}}, total.unrouted);
    auto& durations = out.add("request_duration_seconds", "From the whole request head to the last byte of the answer.",
                              MetricType::Histogram);
    for (auto const& [name, counts] : total.routes) distribution(durations, {{"route", name}}, counts.duration);

    counter(out.add("connections_total", "Connections accepted from clients.", MetricType::Counter), {},
            total.connections_total);
    gauge(out.add("connections_open", "Connections of clients now.", MetricType::Gauge), {},
          static_cast<double>(total.connections_open));
    auto& rejections = out.add("parse_rejections_total", "Requests refused as malformed, by reason.", MetricType::Counter);
    for (auto const& [reason, count] : total.parse_rejections) counter(rejections, {{"reason", reason}}, count);
    auto& turned_away =
        out.add("credentials_refused_total", "Requests answered with 400, 401 or 403 for their credentials, by reason.",
                MetricType::Counter);
    for (std::size_t i = 1; i < total.credentials_refused.size(); ++i)
        counter(turned_away, {{"reason", std::string(name_of(static_cast<credential_refusal>(i)))}},
                total.credentials_refused[i]);
    counter(out.add("unknown_api_keys_ignored_total", "Requests whose API key is not known, let in as if they had none.",
                    MetricType::Counter),
            {}, total.unknown_keys_ignored);
    add_denials(out, total);
    counter(out.add("forwarded_for_rejected_total", "Forwarding chains in which no address stood where one was looked for.",
                    MetricType::Counter),
            {}, total.forwarded_for_rejected);
}

void add_queues(families& out, telemetry const& total)
{
    auto& waiting = out.add("queue_waiting", "Requests that wait for a permit now.", MetricType::Gauge);
    for (auto const& [name, counts] : total.limits) {
        if (counts.queue) gauge(waiting, {{"limit", name}}, static_cast<double>(counts.queue->waiting));
    }
    auto& full =
        out.add("queue_full_total", "Requests refused because nobody else may wait, for this key or in the whole process.",
                MetricType::Counter);
    for (auto const& [name, counts] : total.limits) {
        if (counts.queue) counter(full, {{"limit", name}}, counts.queue->full);
    }
    auto& waited = out.add("queue_wait_seconds", "How long requests have waited for a permit, whether they got it or not.",
                           MetricType::Histogram);
    for (auto const& [name, counts] : total.limits) {
        if (counts.queue) distribution(waited, {{"limit", name}}, counts.queue->waited);
    }
}

void add_limits(families& out, telemetry const& total, process_report const& process)
{
    auto& decisions = out.add("decisions_total", "What each limit decided.", MetricType::Counter);
    for (auto const& [name, counts] : total.limits) {
        for (std::size_t i = 0; i < counts.decisions.size(); ++i)
            counter(decisions, {{"limit", name}, {"decision", std::string(name_of(static_cast<limiter::outcome>(i)))}},
                    counts.decisions[i]);
    }
    add_queues(out, total);
    auto& remembered = out.add("denials_from_memory_total",
                               "Requests refused by a refusal of the fleet's store that still stood.", MetricType::Counter);
    for (auto const& [name, counts] : total.fleet) counter(remembered, {{"limit", name}}, counts.denials_from_memory);
    auto& leased = out.add("admissions_on_lease_total",
                           "Times a limit admitted on permits that were taken from Redis in advance.", MetricType::Counter);
    for (auto const& [name, counts] : total.fleet) counter(leased, {{"limit", name}}, counts.admissions_on_lease);
    auto& out_now =
        out.add("leases_out", "Permits that this gateway holds now, taken from Redis in advance.", MetricType::Gauge);
    for (auto const& [name, counts] : total.fleet) gauge(out_now, {{"limit", name}}, static_cast<double>(counts.leases_out));
    auto& checks =
        out.add("limiter_check_duration_seconds",
                "How long requests waited for their limits; of those in memory one in 64 is measured.", MetricType::Histogram);
    distribution(checks, {{"store", "memory"}}, total.check_memory);
    distribution(checks, {{"store", "redis"}}, total.check_redis);
    gauge(out.add("memory_store_keys", "Counters held in this process.", MetricType::Gauge), {},
          static_cast<double>(process.memory.keys));
    gauge(out.add("memory_store_bytes", "Memory of the counters held in this process.", MetricType::Gauge), {},
          static_cast<double>(process.memory.bytes));
    counter(out.add("memory_store_evictions_total", "Counters dropped before their time because there were too many.",
                    MetricType::Counter),
            {}, process.memory.evictions);
}

void add_outages(families& out, limiter::stand_in::counts const& local)
{
    gauge(out.add("gateways_alive",
                  "Gateways of the fleet, as Redis said last: what a limit is divided by while it says nothing.",
                  MetricType::Gauge),
          {}, static_cast<double>(local.gateways));
    gauge(out.add("outage_counters", "Counters with charges of an outage that Redis has not been told of yet.",
                  MetricType::Gauge),
          {}, static_cast<double>(local.owed));
    counter(out.add("outage_permits_handed_over_total", "Permits admitted in Redis' place that it was charged for afterwards.",
                    MetricType::Counter),
            {}, local.handed_over);
    counter(
        out.add(
            "outage_permits_not_recorded_total",
            "Permits admitted in Redis' place that it never will be charged for: too many callers at once, or keys of another prefix.",
            MetricType::Counter),
        {}, local.not_recorded);
}

void add_store(families& out, std::span<worker_report const> workers)
{
    if (std::ranges::none_of(workers, &worker_report::has_redis)) return;
    bool up = true;
    unsigned breaker = 0;
    std::uint64_t commands = 0;
    std::uint64_t connects = 0;
    std::uint64_t losses = 0;
    std::uint64_t connect_failures = 0;
    std::size_t pending = 0;
    decltype(limiter::redis::node_counts::errors) errors{};
    for (auto const& worker : workers) {
        up = up && worker.redis.up;
        breaker = std::max(breaker, worker.redis.breaker_state);
        commands += worker.redis.commands;
        connects += worker.redis.connects;
        losses += worker.redis.losses;
        connect_failures += worker.redis.connect_failures;
        pending += worker.redis.pending;
        for (std::size_t i = 0; i < errors.size(); ++i) errors[i] += worker.redis.errors[i];
    }
    gauge(out.add("store_up", "1 if every worker is connected to Redis.", MetricType::Gauge), {}, up ? 1 : 0);
    gauge(
        out.add("store_breaker_state", "The worst of the workers' breakers: 0 closed, 1 half open, 2 open.", MetricType::Gauge),
        {}, breaker);
    counter(out.add("store_commands_total", "Commands sent to Redis.", MetricType::Counter), {}, commands);
    counter(out.add("store_connects_total", "Connections made to Redis.", MetricType::Counter), {}, connects);
    counter(out.add("store_connection_losses_total", "Connections to Redis that served and were lost.", MetricType::Counter),
            {}, losses);
    counter(out.add("store_connect_failures_total", "Tries to connect to Redis that failed.", MetricType::Counter), {},
            connect_failures);
    gauge(out.add("store_pending", "Commands sent to Redis and not answered yet.", MetricType::Gauge), {},
          static_cast<double>(pending));
    auto& kinds = out.add("store_errors_total", "Checks that Redis did not answer, by kind.", MetricType::Counter);
    for (std::size_t i = 1; i <= static_cast<std::size_t>(limiter::last_errc); ++i)
        counter(kinds, {{"kind", std::string(limiter::name_of(static_cast<limiter::errc>(i)))}}, errors[i]);
}

void add_tokens(families& out, telemetry const& total, process_report const& process)
{
    if (total.tokens) {
        auto& checks =
            out.add("token_checks_total", "Tokens looked at, by what was found; cached: verified before.", MetricType::Counter);
        for (std::size_t i = 0; i < auth::refusal_count; ++i)
            counter(checks, {{"result", std::string(auth::name_of(static_cast<auth::refusal>(i)))}}, (*total.tokens)[i]);
        counter(checks, {{"result", "cached"}}, total.tokens->back());
    }
    if (process.key_sets.empty()) return;
    auto& refreshes =
        out.add("key_set_refreshes_total", "Readings of issuers' key sets, from a file or a URL.", MetricType::Counter);
    for (auto const& each : process.key_sets) {
        counter(refreshes, {{"issuer", each.issuer}, {"result", "success"}}, each.succeeded);
        counter(refreshes, {{"issuer", each.issuer}, {"result", "failure"}}, each.failed);
    }
    auto& known = out.add("key_set_keys", "Keys known of an issuer now; 0: its tokens are refused.", MetricType::Gauge);
    for (auto const& each : process.key_sets) gauge(known, {{"issuer", each.issuer}}, static_cast<double>(each.keys));
    auto& confirmed = out.add("key_set_last_success_timestamp_seconds", "When an issuer's key set was last read; 0: not yet.",
                              MetricType::Gauge);
    for (auto const& each : process.key_sets)
        gauge(confirmed, {{"issuer", each.issuer}}, static_cast<double>(each.last_success_s));
}

void add_cluster(families& out, std::span<worker_report const> workers)
{
    limiter::redis::cluster_counts total;
    auto is_cluster = false;
    for (auto const& worker : workers) {
        if (!worker.cluster) continue;
        is_cluster = true;
        total.nodes = std::max(total.nodes, worker.cluster->nodes);
        total.moved += worker.cluster->moved;
        total.asked += worker.cluster->asked;
        total.tried_again += worker.cluster->tried_again;
        total.refreshes += worker.cluster->refreshes;
        total.refreshes_failed += worker.cluster->refreshes_failed;
        total.split += worker.cluster->split;
        total.given_back += worker.cluster->given_back;
    }
    if (!is_cluster) return;
    gauge(out.add("store_cluster_nodes", "Nodes of the Redis Cluster that have slots.", MetricType::Gauge), {},
          static_cast<double>(total.nodes));
    auto& redirects = out.add("store_cluster_redirects_total", "Calls that a node of the cluster sent elsewhere, by kind.",
                              MetricType::Counter);
    counter(redirects, {{"kind", "moved"}}, total.moved);
    counter(redirects, {{"kind", "ask"}}, total.asked);
    counter(redirects, {{"kind", "try_again"}}, total.tried_again);
    auto& refreshes =
        out.add("store_cluster_refreshes_total", "Questions for the slots of the cluster, by result.", MetricType::Counter);
    counter(refreshes, {{"result", "success"}}, total.refreshes);
    counter(refreshes, {{"result", "failure"}}, total.refreshes_failed);
    counter(out.add("store_cluster_split_requests_total", "Requests whose limits took several calls.", MetricType::Counter), {},
            total.split);
    counter(out.add("store_cluster_given_back_total",
                    "Charges given back because another call of the same request refused or failed.", MetricType::Counter),
            {}, total.given_back);
}

void add_upstreams(families& out, telemetry const& total, std::span<worker_report const> workers)
{
    auto& requests =
        out.add("upstream_requests_total", "Requests sent to upstreams; status_class none: no answer.", MetricType::Counter);
    for (auto const& [name, counts] : total.upstreams) {
        for (auto const& [server, classes] : counts.servers)
            add_classes(requests, {{"upstream", name}, {"server", server}}, classes);
    }
    auto& durations =
        out.add("upstream_duration_seconds", "From sending a request to the head of its answer.", MetricType::Histogram);
    for (auto const& [name, counts] : total.upstreams) distribution(durations, {{"upstream", name}}, counts.duration);
    auto& healthy = out.add("upstream_healthy", "0 while an endpoint rests after failures, as the first worker sees it.",
                            MetricType::Gauge);
    if (!workers.empty()) {
        for (auto const& server : workers.front().servers)
            gauge(healthy, {{"upstream", server.upstream}, {"server", server.server}}, server.healthy ? 1 : 0);
    }
    counter(out.add("forwarding_failures_total", "Requests that no upstream answered.", MetricType::Counter), {},
            total.forwarding_failures);
}

void add_process(families& out, process_report const& process)
{
    counter(out.add("access_log_dropped_lines_total", "Access log lines dropped because their reader stalled.",
                    MetricType::Counter),
            {}, process.dropped_log_lines);
    auto& reloads = out.add("config_reloads_total", "Reloads of the configuration.", MetricType::Counter);
    counter(reloads, {{"result", "success"}}, process.reloads_succeeded);
    counter(reloads, {{"result", "failure"}}, process.reloads_failed);
    gauge(out.add("config_last_reload_success_timestamp_seconds", "When the configuration in force was loaded.",
                  MetricType::Gauge),
          {}, static_cast<double>(process.last_reload_success_s));
    gauge(out.add("build_info", "Always 1; the label says which build this is.", MetricType::Gauge),
          {{"version", std::string(program_version)}}, 1);
}

// OpenMetrics names a counter without its suffix in HELP and TYPE, and closes with EOF (OpenMetrics 1.0).
std::string as_open_metrics(std::string const& text)
{
    constexpr std::string_view suffix = "_total";
    std::string out;
    std::size_t at = 0;
    while (at < text.size()) {
        auto const end = std::min(text.find('\n', at), text.size());
        std::string line = text.substr(at, end - at);
        at = end + 1;
        if (line.starts_with("# ")) {
            auto const name_at = line.find(' ', 2) + 1;
            auto const name_end = line.find(' ', name_at);
            auto const name = std::string_view(line).substr(name_at, name_end - name_at);
            if (name.ends_with(suffix)) line.erase(name_end - suffix.size(), suffix.size());
        }
        out.append(line).append("\n");
    }
    return out.append("# EOF\n");
}

} // namespace

exposition_format negotiate_format(std::string_view accept)
{
    // A scraper lists the formats that it prefers first; `q` only ever lowers plain text (OP-15).
    auto const open = accept.find("application/openmetrics-text");
    if (open == std::string_view::npos) return exposition_format::prometheus;
    auto const offer = accept.substr(open, accept.substr(open).find(','));
    return offer.find("q=0,") == std::string_view::npos && !offer.ends_with("q=0") ? exposition_format::open_metrics
                                                                                   : exposition_format::prometheus;
}

std::string_view media_type_of(exposition_format format) noexcept
{
    return format == exposition_format::open_metrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                                     : "text/plain; version=0.0.4; charset=utf-8";
}

std::string expose_metrics(std::span<worker_report const> workers, process_report const& process, exposition_format format)
{
    telemetry total;
    for (auto const& worker : workers) total.add(worker.counts);
    families out;
    add_traffic(out, total);
    add_limits(out, total, process);
    add_store(out, workers);
    add_cluster(out, workers);
    if (std::ranges::any_of(workers, &worker_report::has_redis)) add_outages(out, process.local);
    add_tokens(out, total, process);
    add_upstreams(out, total, workers);
    add_process(out, process);
    auto const text = prometheus::TextSerializer().Serialize(out.all());
    return format == exposition_format::open_metrics ? as_open_metrics(text) : text;
}

} // namespace penstock::gateway
