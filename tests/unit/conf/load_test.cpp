// From a text to a snapshot: every example, every default, and where each written value ends up.
#include "conf/load.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>

namespace {

using namespace penstock;

std::string const examples = PENSTOCK_SOURCE_DIR "/conf/examples/";

std::optional<std::string> test_environment(std::string const& name)
{
    static std::map<std::string, std::string> const values{
        {"PENSTOCK_ADMIN_TOKEN", "secret"}, {"PENSTOCK_HASH_SECRET", "a pepper of the fleet"}, {"PORT", "8081"}};
    auto const found = values.find(name);
    return found == values.end() ? std::nullopt : std::optional{found->second};
}

std::string all_problems(conf::loaded const& result)
{
    std::string text;
    for (auto const& problem : result.problems) text += problem.to_string() + '\n';
    return text;
}

conf::snapshot_ptr must_load(std::string const& text)
{
    auto const result = conf::load_text(text, "test.yaml", ".", test_environment);
    CAPTURE(all_problems(result));
    REQUIRE(result.snapshot != nullptr);
    return result.snapshot;
}

std::string const smallest = R"(
listeners: [{ address: 127.0.0.1:0 }]
upstreams: { app: { servers: [127.0.0.1:3000] } }
routes: [{ upstream: app, limits: none }]
)";

} // namespace

TEST_CASE("every example loads without a problem")
{
    for (auto const* name : {"minimal.yaml", "sidecar.yaml", "fleet.yaml"}) {
        CAPTURE(name);
        auto const result = conf::load_file(examples + name, test_environment);
        CHECK(all_problems(result) == "");
        CHECK(result.snapshot != nullptr);
    }
}

TEST_CASE("what is not written has the default of settings.hpp")
{
    auto const snapshot = must_load(smallest);
    conf::settings const defaults;
    auto const& read = snapshot->settings;
    CHECK(read.workers == defaults.workers);
    CHECK(!read.admin);
    CHECK(!read.redis);
    CHECK(read.client.source == defaults.client.source);
    CHECK(read.timeouts.keep_alive == defaults.timeouts.keep_alive);
    CHECK(read.limits.body == defaults.limits.body);
    CHECK(read.responses.rate_limit_fields == defaults.responses.rate_limit_fields);
    CHECK(read.memory_keys == defaults.memory_keys);
    CHECK(read.via_name == defaults.via_name);
    CHECK(snapshot->keys.prefix == "rl:");
    CHECK(snapshot->plans.at(0).terms.empty());
}

TEST_CASE("the fleet example is compiled as it is written")
{
    auto const result = conf::load_file(examples + "fleet.yaml", test_environment);
    REQUIRE(result.snapshot != nullptr);
    auto const& snapshot = *result.snapshot;

    CHECK(snapshot.settings.admin->token == "secret");
    CHECK(snapshot.settings.redis->host == "127.0.0.1");
    CHECK(snapshot.settings.redis->check_timeout == base::micros{20'000});
    CHECK(snapshot.settings.client.trusted_proxies.size() == 2);
    using source = conf::credential_source;
    CHECK(snapshot.settings.api_keys.from ==
          std::vector<source>{{source::place::header, "x-api-key"}, {source::place::authorization, "apikey"}});
    CHECK(snapshot.settings.responses.retry_jitter_percent == 10);

    REQUIRE(snapshot.upstreams.size() == 1);
    CHECK(snapshot.upstreams[0].balance == proxy::balance::least_requests);
    CHECK(snapshot.upstreams[0].servers[0].weight == 2);
    CHECK(snapshot.upstreams[0].servers[1].host == "app-2");

    REQUIRE(snapshot.policies.size() == 4);
    auto const& with_key = snapshot.policies[2];
    CHECK(with_key.name == "with-key");
    CHECK(with_key.quota.key_suffix == ":with-key:tb");
    CHECK(with_key.scope == limiter::scope::fleet);
    CHECK(!with_key.exempt_addresses.empty());
    CHECK(snapshot.policies[1].quota.key_suffix == ":anonymous:fw10s");
    CHECK(snapshot.policies[3].enforce == limiter::enforcement::shadow);

    auto const& routes = snapshot.routes.routes();
    REQUIRE(routes.size() == 3);
    CHECK(routes[0].name == "/healthz");
    CHECK(snapshot.plans[0].terms.empty());

    auto const& plan = snapshot.plans[1]; // the global limit, first_of, writes
    REQUIRE(plan.terms.size() == 3);
    CHECK(plan.cost == 2);
    CHECK(plan.terms[0].first_of == std::vector<limiter::policy const*>{&snapshot.policies[0]});
    CHECK(plan.terms[1].first_of == std::vector<limiter::policy const*>{&snapshot.policies[2], &snapshot.policies[1]});
    CHECK(plan.terms[2].first_of == std::vector<limiter::policy const*>{&snapshot.policies[3]});
}

TEST_CASE("defaults may be written out")
{
    auto const snapshot = must_load(R"(
workers: auto
listeners: [{ address: 127.0.0.1:0, proxy_protocol: off }]
client: { source: peer, ipv6_prefix: 64, nat64: ipv6 }
upstreams: { app: { servers: [127.0.0.1:3000], balance: round_robin, retries: 1 } }
limits:
  a: { key: client.ip, precision: exact, enforce: true, scope: instance, token_bucket: { capacity: 1, refill: 1/second, replenish: continuous } }
  b: { key: everyone, advertise: on, on_missing_key: skip, fixed_window: { limit: 1, window: 1s, align: first_request } }
global_limits: []
routes: [{ upstream: app, limits: [a, b], forward_path: normalised }]
message_limits: { body: off }
responses: { rate_limit_fields: [draft], on_success: true, retry_jitter: 0%, rejection: { status: 429, body: problem } }
)");
    CHECK(snapshot->policies[0].scope == limiter::scope::instance);
    CHECK(snapshot->settings.limits.body == 0);
}

TEST_CASE("IP-3, IP-11, IP-14, IP-26, IP-30, IP-31: who is believed about who is calling")
{
    auto const snapshot = must_load(R"(
listeners:
  - { address: 127.0.0.1:0, proxy_protocol: v2, proxy_protocol_from: [10.0.0.0/24, 2001:db8::/64] }
  - { address: 127.0.0.1:0, proxy_protocol: any }
  - { address: 127.0.0.1:0, proxy_protocol: v1, proxy_protocol_from: 10.0.0.1 }
  - { address: 127.0.0.1:0 }
client: { source: forwarded, trusted_proxies: [10.0.0.0/8], trusted_hops: 2, nat64: ipv4, forwarded_by: obfuscated }
timeouts: { proxy_header: 3s }
via: gw1
upstreams: { app: { servers: [127.0.0.1:3000] } }
limits:
  a: { key: [client.network/24/48, client.network/16], fixed_window: { limit: 1, window: 1s }, overrides: { "unix|unix": { limit: 2 } } }
routes: [{ upstream: app, limits: [a] }]
)");
    auto const& read = snapshot->settings;
    using proxy::proxy_protocol;
    REQUIRE(read.listeners.size() == 4);
    CHECK(read.listeners[0].proxy_protocol == proxy_protocol::v2);
    CHECK(read.listeners[0].proxy_protocol_from.size() == 2);
    CHECK(read.listeners[1].proxy_protocol == proxy_protocol::any);
    CHECK(read.listeners[1].proxy_protocol_from.empty());
    CHECK(read.listeners[2].proxy_protocol == proxy_protocol::v1);
    CHECK(read.listeners[2].proxy_protocol_from.size() == 1);
    CHECK(read.listeners[3].proxy_protocol == proxy_protocol::off);
    CHECK(read.client.source == partition::address_source::forwarded);
    CHECK(read.client.trusted_hops == 2);
    CHECK(read.client.nat64 == partition::nat64_form::ipv4);
    CHECK(read.forwarded_by == "_gw1");
    CHECK(read.timeouts.proxy_header == base::micros{3'000'000});
    CHECK(snapshot->policies[0].key[0].ipv6_prefix == 48);
    CHECK(snapshot->policies[0].key[1].ipv6_prefix == 64);
    CHECK(snapshot->policies[0].overrides.size() == 1);

    auto const source_of = [](std::string const& source) {
        return must_load("listeners: [{ address: 127.0.0.1:0 }]\nclient: { trusted_proxies: [10.0.0.0/8], source: " + source +
                         " }\nupstreams: { app: { servers: [127.0.0.1:3000] } }\nroutes: [{ upstream: app, limits: none }]\n")
            ->settings.client;
    };
    CHECK(source_of("x-real-ip").field == "x-real-ip");
    CHECK(source_of("x-real-ip").source == partition::address_source::single_field);
    CHECK(source_of("header CF-Connecting-IP").field == "cf-connecting-ip");
    CHECK(source_of("header X-Azure-ClientIP").source == partition::address_source::single_field);
    CHECK(source_of("x-forwarded-for").source == partition::address_source::x_forwarded_for);
    CHECK(source_of("peer").source == partition::address_source::peer);
}

TEST_CASE("each written value ends up in its place")
{
    auto const snapshot = must_load(R"(
workers: 3
listeners: [{ address: "127.0.0.1:${PORT}" }, { address: "[::1]:8082" }]
redis: { url: redis://127.0.0.1:6380/2, key_prefix: "x:", hash_secret: sixteen-bytes-it, connect_timeout: 2s, max_pending: 7, gateways_at_least: 4,
         breaker: { failures: 9, open_for: 2s, open_for_max: 3s } }
client: { ipv6_prefix: 56 }
upstreams: { app: { servers: ["unix:/run/app.sock"], timeouts: { connect: 1ms, response: 2ms, idle: 3ms }, retries: 0 } }
limits:
  a:
    key: [client.ip, client.network/24, header.X-Tenant, cookie.Sid, method, host, path, route]
    token_bucket: { capacity: 5, refill: 10/minute }
    cost: 2
    on_store_failure: deny
    on_missing_key: reject
    advertise: off
    scope: instance
  b: { key: [everyone, path.id], fixed_window: { limit: 5, window: 1m } }
routes:
  - { match: { path: "/u/{id}", host: "*.Example.com" }, upstream: app, limits: [b], before_auth: [a], forward_path: raw }
  - { match: { path: "/u/{id}", methods: [GET] }, upstream: app, limits: none }
  - { match: { path: "/u/{id}" }, upstream: app, limits: none }
responses: { rate_limit_fields: off, on_success: off }
timeouts: { keep_alive: 1s, header: 2s, body: 3s, drain: 4s, pre_drain: 5s }
message_limits: { request_line: 1KiB, header_field: 2KiB, headers: 3KiB, header_count: 4, body: 5MiB }
access_log: off
memory: { max_keys: 1000 }
via: gw
)");
    auto const& read = snapshot->settings;
    CHECK(read.workers == 3);
    CHECK(read.listeners.at(0).address.port == 8081);
    CHECK(read.listeners.at(1).address.host == "::1");
    CHECK(read.redis->port == 6380);
    CHECK(read.redis->database == 2);
    CHECK(read.redis->connect_timeout == base::micros{2'000'000});
    CHECK(read.redis->max_pending == 7);
    CHECK(read.gateways_at_least == 4);
    CHECK(read.redis->breaker.failures == 9);
    CHECK(read.redis->breaker.open_for_max == base::micros{3'000'000});
    CHECK(snapshot->keys.prefix == "x:");
    CHECK(read.redis->probe_key == "x:{penstock-probe}"); // within `~PREFIX*` of an ACL
    CHECK(read.responses.rate_limit_fields.empty());
    CHECK(!read.responses.on_success);
    CHECK(read.timeouts.keep_alive == base::micros{1'000'000});
    CHECK(read.timeouts.pre_drain == base::micros{5'000'000});
    CHECK(read.limits.request_line == 1024);
    CHECK(read.limits.header_count == 4);
    CHECK(read.limits.body == 5 * 1024 * 1024);
    CHECK(!read.access_log.enabled);
    CHECK(read.memory_keys == 1000);
    CHECK(read.via_name == "gw");
    CHECK(snapshot->upstreams[0].servers[0].unix_path == "/run/app.sock");
    CHECK(snapshot->upstreams[0].timeouts.idle == base::micros{3'000});
    CHECK(snapshot->upstreams[0].retries == 0);

    auto const& a = snapshot->policies[0];
    REQUIRE(a.key.size() == 8);
    CHECK(a.key[0].prefix == 56);
    CHECK(a.key[1].prefix == 24);
    CHECK(a.key[1].ipv6_prefix == 56);
    CHECK(a.key[2].name == "x-tenant");
    CHECK(a.key[3].name == "Sid");
    CHECK(snapshot->policies[1].key[1].source == partition::entry_source::path_capture);
    CHECK(snapshot->policies[1].key[1].name == "id");
    CHECK(a.cost == 2);
    CHECK(a.on_store_failure == limiter::failure_mode::deny);
    CHECK(a.on_missing_key == limiter::missing_key::reject);
    CHECK(a.advertise == limiter::advertisement::hidden);
    CHECK(a.scope == limiter::scope::instance);
    CHECK(snapshot->policies[1].scope == limiter::scope::fleet);

    auto const& routes = snapshot->routes.routes();
    CHECK(routes[0].host == "*.example.com");
    CHECK(routes[0].forward_path == proxy::forward_path::raw);
    CHECK(routes[0].name == "*.example.com/u/{id}");
    CHECK(routes[1].name == "/u/{id}");
    CHECK(routes[2].name == "/u/{id}#2");
    CHECK(snapshot->plans[0].terms.at(0).first_of.at(0) == &a); // before_auth comes first
}

TEST_CASE("secrets and templates come from files beside the configuration")
{
    auto const text = "admin: { address: 127.0.0.1:1, token_file: secret.txt }\n"
                      "redis: { url: redis://127.0.0.1, password_file: secret.txt, hash_secret_file: secret-long.txt }\n"
                      "responses: { rejection: { body: page.html, media_type: text/html } }" +
                      smallest;
    auto const result = conf::load_text(text, "t", PENSTOCK_SOURCE_DIR "/tests/unit/conf", test_environment);
    CAPTURE(all_problems(result));
    REQUIRE(result.snapshot != nullptr);
    CHECK(result.snapshot->settings.admin->token == "secret");
    CHECK(result.snapshot->settings.redis->password == "secret");
    CHECK(result.snapshot->settings.responses.body == conf::rejection_body::file);
    CHECK(result.snapshot->settings.responses.body_template == "<p>Slow down.</p>\n");
    penstock::partition::hash_secret const sha256_of_the_file{{0x3e, 0xb1, 0xbd, 0x43, 0x99, 0x47, 0xeb, 0x76, 0x29, 0x98, 0xe5,
                                                               0x66, 0xcc, 0xc2, 0xe0, 0x99, 0xc7, 0x91, 0x11, 0x8b, 0x2f, 0x40,
                                                               0x57, 0x9c, 0xc4, 0xf7, 0xda, 0x2b, 0x50, 0x61, 0xb7, 0xf9}};
    CHECK(result.snapshot->keys.secret == sha256_of_the_file);
}

TEST_CASE("hash_secret has 16 bytes or more, wherever it comes from")
{
    struct row {
        char const* value;
        bool is_enough;
    };
    for (auto const& r :
         {row{"sixteen-bytes-it", true}, row{"sixteen-bytes-i", false}, row{"''", false}, row{"${SIXTEEN}", true},
          row{"${FIFTEEN}", false}, row{"${EMPTY}", false}, row{"${UNSET:-}", false}}) {
        CAPTURE(r.value);
        auto const env = [](std::string const& name) -> std::optional<std::string> {
            if (name == "SIXTEEN") return "0123456789abcdef";
            if (name == "FIFTEEN") return "0123456789abcde";
            return name == "EMPTY" ? std::optional<std::string>{""} : std::nullopt;
        };
        auto const text = "redis: { url: redis://127.0.0.1, hash_secret: " + std::string{r.value} + " }" + smallest;
        auto const result = conf::load_text(text, "t", ".", env);
        CAPTURE(all_problems(result));
        CHECK((result.snapshot != nullptr) == r.is_enough);
        if (!r.is_enough) CHECK(result.problems.at(0).key == "redis.hash_secret");
    }
}

TEST_CASE("a file that cannot be read is one problem of the file")
{
    auto const result = conf::load_file("/nonexistent/penstock.yaml", test_environment);
    CHECK(result.snapshot == nullptr);
    REQUIRE(result.problems.size() == 1);
    CHECK(result.problems[0].to_string().starts_with("/nonexistent/penstock.yaml: cannot be read"));
}
