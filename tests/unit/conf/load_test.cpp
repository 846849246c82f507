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
        {"PENSTOCK_ADMIN_TOKEN", "secret"}, {"PENSTOCK_HASH_SECRET", "pepper"}, {"PORT", "8081"}};
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
    CHECK(snapshot.settings.api_key_fields == std::vector<std::string>{"x-api-key"});
    CHECK(snapshot.settings.api_key_from_authorization);
    CHECK(snapshot.settings.responses.retry_jitter_percent == 10);

    REQUIRE(snapshot.upstreams.size() == 1);
    CHECK(snapshot.upstreams[0].balance == proxy::balance::least_requests);
    CHECK(snapshot.upstreams[0].servers[0].weight == 2);
    CHECK(snapshot.upstreams[0].servers[1].host == "app-2");

    REQUIRE(snapshot.policies.size() == 4);
    auto const& with_key = snapshot.policies[2];
    CHECK(with_key.name == "with-key");
    CHECK(with_key.key_suffix == ":with-key:tb");
    CHECK(with_key.scope == limiter::scope::fleet);
    CHECK(with_key.exempt_networks.size() == 1);
    CHECK(snapshot.policies[1].key_suffix == ":anonymous:fw10s");
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
