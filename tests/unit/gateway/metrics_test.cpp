#include "gateway/metrics.hpp"

#include <doctest/doctest.h>

#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

using namespace penstock;
using namespace penstock::gateway;

namespace {

std::vector<std::string> lines_of(std::string const& text)
{
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

std::vector<worker_report> busy_workers()
{
    std::vector<worker_report> workers(2);
    for (auto& worker : workers) {
        worker.has_redis = true;
        worker.redis.up = true;
        worker.redis.errors[1] = 2;
        auto& counts = worker.counts;
        counts.routes["products"].requests[2] = 3;
        for (auto const us : {100, 3000, 20'000'000}) counts.routes["products"].duration.observe(base::micros{us});
        counts.limits["odd\"\\\nname"].decisions[1] = 1;
        auto& queue = counts.limits["queued"].queue.emplace();
        queue.waiting = 3;
        queue.waited.observe(base::micros{2'000});
        counts.upstreams["backend"].servers["10.0.0.1:80"][5] = 4;
        counts.parse_rejections["malformed"] = 5;
        counts.credentials_refused[static_cast<std::size_t>(credential_refusal::api_key_unknown)] = 7;
        counts.unknown_keys_ignored = 8;
        counts.denied[1][0] = 9;
        counts.denied[0][1] = 10;
        counts.connections_open = 6;
        worker.servers.push_back({"backend", "10.0.0.1:80", false});
    }
    return workers;
}

std::string exposed(exposition_format format)
{
    auto const workers = busy_workers();
    process_report process;
    process.dropped_log_lines = 7;
    process.last_reload_success_s = 1'700'000'000;
    return expose_metrics(workers, process, format);
}

bool has_line(std::string const& text, std::string_view wanted)
{
    for (auto const& line : lines_of(text)) {
        if (line == wanted) return true;
    }
    return false;
}

// The family that a sample belongs to.
std::string family_of(std::string const& sample, std::map<std::string, std::string> const& types)
{
    auto const name = sample.substr(0, sample.find_first_of("{ "));
    for (std::string_view const suffix : {"_bucket", "_sum", "_count", "_total"}) {
        auto const base = name.substr(0, name.size() - std::min(name.size(), suffix.size()));
        if (name.ends_with(suffix) && types.contains(base)) return base;
    }
    return name;
}

} // namespace

TEST_CASE("OP-10, OP-11, OP-12, OP-15: in both formats each family is introduced once, stands together and is well named")
{
    for (auto const format : {exposition_format::prometheus, exposition_format::open_metrics}) {
        bool const open = format == exposition_format::open_metrics;
        CAPTURE(open);
        auto const text = exposed(format);
        CHECK(text.ends_with("\n"));
        CHECK(text.find('\r') == std::string::npos);
        std::map<std::string, std::string> types;
        std::set<std::string> helped;
        std::string current;
        for (auto const& line : lines_of(text)) {
            CAPTURE(line);
            if (line == "# EOF") continue;
            std::istringstream words(line);
            std::string hash, what, name, type;
            words >> hash >> what >> name >> type;
            if (what == "HELP" && hash == "#")
                CHECK(helped.insert(name).second);
            else if (what == "TYPE" && hash == "#") {
                CHECK(types.emplace(name, type).second);
                CHECK(helped.contains(name));
                CHECK(name.starts_with("penstock_"));
                CHECK(name.find("_ms") == std::string::npos);
                if (type == "counter") CHECK(name.ends_with("_total") != open);
                current = name;
            } else
                CHECK(family_of(line, types) == current);
        }
        CHECK(types.size() > 15);
        CHECK(types.size() == helped.size());
    }
}

TEST_CASE("OP-15: OpenMetrics ends with EOF, once, and its samples of counters keep their suffix")
{
    auto const text = exposed(exposition_format::open_metrics);
    CHECK(text.ends_with("\n# EOF\n"));
    CHECK(text.find("# EOF") == text.rfind("# EOF"));
    CHECK(has_line(text, "# TYPE penstock_requests counter"));
    CHECK(has_line(text, "penstock_requests_total{route=\"products\",status_class=\"2xx\"} 6"));
    CHECK(exposed(exposition_format::prometheus).find("# EOF") == std::string::npos);
}

TEST_CASE("OP-11, OP-13, OP-16: samples are sums over the workers; labels are escaped; histograms are cumulative")
{
    auto const text = exposed(exposition_format::prometheus);
    for (std::string_view const wanted : {
             "# TYPE penstock_requests_total counter",
             "penstock_requests_total{route=\"products\",status_class=\"2xx\"} 6",
             "penstock_request_duration_seconds_bucket{route=\"products\",le=\"0.0005\"} 2",
             "penstock_request_duration_seconds_bucket{route=\"products\",le=\"0.005\"} 4",
             "penstock_request_duration_seconds_bucket{route=\"products\",le=\"10\"} 4",
             "penstock_request_duration_seconds_bucket{route=\"products\",le=\"+Inf\"} 6",
             "penstock_request_duration_seconds_count{route=\"products\"} 6",
             "penstock_decisions_total{limit=\"odd\\\"\\\\\\nname\",decision=\"refused\"} 2",
             "penstock_queue_waiting{limit=\"queued\"} 6",
             "penstock_queue_wait_seconds_bucket{limit=\"queued\",le=\"0.0025\"} 2",
             "penstock_queue_wait_seconds_count{limit=\"queued\"} 2",
             "penstock_upstream_requests_total{upstream=\"backend\",server=\"10.0.0.1:80\",status_class=\"5xx\"} 8",
             "penstock_upstream_healthy{upstream=\"backend\",server=\"10.0.0.1:80\"} 0",
             "penstock_parse_rejections_total{reason=\"malformed\"} 10",
             "penstock_credentials_refused_total{reason=\"api_key_unknown\"} 14",
             "penstock_credentials_refused_total{reason=\"key_missing\"} 0",
             "penstock_unknown_api_keys_ignored_total 16",
             "penstock_denied_total{by=\"api_key\",action=\"reject\"} 18",
             "penstock_denied_total{by=\"address\",action=\"close\"} 20",
             "penstock_connections_open 12",
             "penstock_store_up 1",
             "penstock_access_log_dropped_lines_total 7",
         }) {
        CAPTURE(wanted);
        CHECK(has_line(text, wanted));
    }
}

TEST_CASE("OP-16: without Redis there are no series of a store; one worker that is cut off takes it down")
{
    std::vector<worker_report> workers(2);
    CHECK(expose_metrics(workers, {}, exposition_format::prometheus).find("penstock_store_") == std::string::npos);
    for (auto& worker : workers) worker.has_redis = true;
    workers[0].redis.up = true;
    workers[1].redis.breaker_state = 2;
    auto const text = expose_metrics(workers, {}, exposition_format::prometheus);
    CHECK(has_line(text, "penstock_store_up 0"));
    CHECK(has_line(text, "penstock_store_breaker_state 2"));
}

TEST_CASE("a cluster shows what its nodes sent elsewhere and what was given back, added up over the workers")
{
    auto workers = busy_workers();
    CHECK(exposed(exposition_format::prometheus).find("penstock_store_cluster_") == std::string::npos);
    for (auto& worker : workers)
        worker.cluster = {.nodes = 3,
                          .moved = 1,
                          .asked = 2,
                          .tried_again = 3,
                          .refreshes = 4,
                          .refreshes_failed = 5,
                          .split = 6,
                          .given_back = 7};
    auto const text = expose_metrics(workers, {}, exposition_format::prometheus);
    for (auto const* wanted : {
             "penstock_store_cluster_nodes 3",
             "penstock_store_cluster_redirects_total{kind=\"moved\"} 2",
             "penstock_store_cluster_redirects_total{kind=\"ask\"} 4",
             "penstock_store_cluster_redirects_total{kind=\"try_again\"} 6",
             "penstock_store_cluster_refreshes_total{result=\"success\"} 8",
             "penstock_store_cluster_refreshes_total{result=\"failure\"} 10",
             "penstock_store_cluster_split_requests_total 12",
             "penstock_store_cluster_given_back_total 14",
         }) {
        CAPTURE(wanted);
        CHECK(has_line(text, wanted));
    }
}

TEST_CASE("OP-10, OP-15: the format is what the scraper asks for")
{
    struct row {
        std::string_view accept;
        exposition_format format;
    };
    using enum exposition_format;
    for (auto const& r : {
             row{"", prometheus},
             row{"*/*", prometheus},
             row{"text/plain;version=0.0.4", prometheus},
             row{"application/openmetrics-text", open_metrics},
             row{"application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", open_metrics},
             row{"text/plain;q=0.5,application/openmetrics-text;version=1.0.0", open_metrics},
             row{"application/openmetrics-text;q=0", prometheus},
             row{"application/openmetrics-text;q=0,text/plain", prometheus},
         }) {
        CAPTURE(r.accept);
        CHECK(negotiate_format(r.accept) == r.format);
    }
    CHECK(media_type_of(prometheus) == "text/plain; version=0.0.4; charset=utf-8");
    CHECK(media_type_of(open_metrics) == "application/openmetrics-text; version=1.0.0; charset=utf-8");
}
