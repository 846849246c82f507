// Overrides and tiers as they are compiled, met by requests: the identity of a document's caller is the one of the request.
#include "conf/load.hpp"

#include "limiter/classify.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace penstock;

namespace {

conf::snapshot_ptr load_limit(std::string const& limit)
{
    auto const result = conf::load_text(
        "listeners: [{ address: 127.0.0.1:8080 }]\n"
        "upstreams: { app: { servers: [127.0.0.1:3000] } }\n"
        "auth: { jwt: { issuers: [{ issuer: \"https://id.example.com/\", audience: a, algorithms: ES256, "
        "jwks_url: \"https://id.example.com/keys\" }, { issuer: other, audience: a, algorithms: ES256, jwks_url: "
        "\"https://other.example.com/\" }] }, api_keys: { from: [header X-API-Key], known: [{ name: p, attributes: { plan: gold }, sha256: "
        "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae }] } }\n"
        "limits: { a: { " +
            limit + " } }\nroutes: [{ upstream: app, name: search, match: { path: '/t/{tenant}/{side}' }, limits: [a] }]\n",
        "test", ".", [](std::string const&) { return std::nullopt; });
    for (auto const& problem : result.problems) {
        if (problem.level == conf::problem::severity::error) MESSAGE(problem.to_string());
    }
    return result.snapshot;
}

// The most that a request of these facts may take at once of the only limit.
std::int64_t burst_for(conf::snapshot const& snapshot, base::request_facts const& facts)
{
    limiter::classified asked;
    limiter::classify(snapshot.plans[0], facts, snapshot.keys, 0, asked);
    REQUIRE(asked.claims.size() == 1);
    return limiter::burst_of(asked.claims[0].algorithm());
}

} // namespace

TEST_CASE("an override holds for the caller that it names and for nobody else")
{
    std::vector<base::field> const fields{{"x-tenant", "Acme, Inc."}};
    std::vector<base::field> const attributes{{"plan", "gold"}};
    std::vector<base::path_capture> const captures{{"tenant", "caf%C3%A9"}};
    base::request_facts facts;
    facts.method = "GET";
    facts.host = "api.example.com";
    facts.path = "/t/caf%C3%A9/x";
    facts.query = "page=1&user=J%C3%BCrgen+%26+Co";
    facts.fields = fields;
    facts.client = base::ip_address::parse("2001:db8:1:2::77");
    facts.api_key_attributes = attributes;
    facts.captures = captures;
    facts.route = "search";
    std::vector<base::field> const claims{{"https://example.com/tenant", "blue"}, {"sub", "auth0|123"}};
    facts.token_issuer = "https://id.example.com/";
    facts.token_claims = claims;
    struct row {
        char const* key;
        char const* caller;
        bool is_it;
    };
    for (auto const& [key, caller, is_it] : {
             row{"client.ip", "2001:db8:1:2::1", true},
             row{"client.ip", "2001:db8:1:3::1", false},
             row{"client.network/24", "2001:db8:1:2::5", true},
             row{"header.X-Tenant", "Acme, Inc.", true},
             row{"header.X-Tenant", "Acme", false},
             row{"query.user", "Jürgen & Co", true},
             row{"method", "GET", true},
             row{"host", "API.example.com", true},
             row{"path", "/t/café/x", true},
             row{"path.tenant", "café", true},
             row{"route", "search", true},
             row{"api_key.plan", "gold", true},
             row{"api_key.plan", "silver", false},
             row{"jwt.sub", "https://id.example.com/|auth0|123", true},
             row{"jwt.sub", "other|auth0|123", false},
             row{"jwt.https://example.com/tenant", "https://id.example.com/|blue", true},
             row{"[jwt.https://example.com/tenant, route]", "https://id.example.com/|blue|search", true},
             row{"[client.ip, route]", "2001:db8:1:2::1|search", true},
             row{"[client.ip, route]", "2001:db8:1:2::1|other", false},
         }) {
        CAPTURE(key);
        CAPTURE(caller);
        auto const snapshot =
            load_limit(std::string{"key: "} + key + ", fixed_window: { limit: 10, window: 10s }, overrides: { \"" + caller +
                       "\": { limit: 77 } }");
        REQUIRE(snapshot);
        CHECK(burst_for(*snapshot, facts) == (is_it ? 77 : 10));
    }
}

TEST_CASE("an override holds for a caller whose value a hash stands for, because its name might be a credential's")
{
    std::vector<base::field> const fields{{"x-author", "acme"}, {"x-session", "acme"}};
    std::vector<base::path_capture> const captures{{"side", "acme"}};
    std::vector<base::field> const claims{{"residence", "acme"}, {"https://auth.example.com/tenant", "acme"}};
    std::vector<base::field> const attributes{{"passage", "acme"}};
    base::request_facts facts;
    facts.client = base::ip_address::parse("192.0.2.1");
    facts.query = "keyword=%61cme";
    facts.fields = fields;
    facts.captures = captures;
    facts.api_key_attributes = attributes;
    facts.token_issuer = "https://id.example.com/";
    facts.token_claims = claims;
    for (auto const* key : {"header.x-author", "header.x-session", "query.keyword", "path.side", "api_key.passage",
                            "[client.ip, query.keyword]", "jwt.residence", "jwt.https://auth.example.com/tenant"}) {
        CAPTURE(key);
        std::string const begin = key[0] == 'j' ? "https://id.example.com/|" : key[0] == '[' ? "192.0.2.1|" : "";
        for (auto const& [value, burst] : {std::pair{"acme", 77}, std::pair{"acmes", 10}}) {
            auto const snapshot =
                load_limit(std::string{"key: "} + key + ", fixed_window: { limit: 10, window: 10s }, overrides: { \"" + begin +
                           value + "\": { limit: 77 } }");
            REQUIRE(snapshot);
            CHECK(snapshot->policies[0].overrides.begin()->first.find("acme") == std::string::npos);
            CHECK(burst_for(*snapshot, facts) == burst);
        }
    }
}

TEST_CASE("what an override leaves out is the limit's own, and its counter is its algorithm's")
{
    auto const snapshot = load_limit("key: client.ip, sliding_window: { limit: 10, window: 30s, segments: 3 }, "
                                     "overrides: { 192.0.2.1: { limit: 5 }, 192.0.2.2: { window: 60s } }");
    REQUIRE(snapshot);
    auto const& policy = snapshot->policies[0];
    auto const quota_of = [&](char const* identity) { return policy.overrides.find(std::string_view{identity})->second; };
    CHECK(quota_of("{ip=192.0.2.1}").algorithm == limiter::algorithm{limiter::sliding_window{5, 10'000'000, 3}});
    CHECK(quota_of("{ip=192.0.2.1}").key_suffix == policy.quota.key_suffix);
    CHECK(quota_of("{ip=192.0.2.2}").key_suffix == ":a:sw60s3");
}

TEST_CASE("tiers and numbers of a known key's attributes")
{
    auto const tiers = load_limit("key: client.ip, fixed_window: { limit: 10, window: 10s }, "
                                  "from_attribute: { attribute: api_key.plan, max: 500, tiers: { gold: { limit: 50 } } }");
    REQUIRE(tiers);
    struct row {
        char const* value;
        std::int64_t burst;
    };
    for (auto const& [value, burst] :
         {row{"gold", 50}, row{"silver", 10}, row{"400", 400}, row{"500", 500}, row{"501", 10}, row{"0", 10}}) {
        CAPTURE(value);
        std::vector<base::field> const attributes{{"plan", value}};
        base::request_facts facts;
        facts.client = base::ip_address::parse("192.0.2.1");
        facts.api_key_attributes = attributes;
        CHECK(burst_for(*tiers, facts) == burst);
    }
}

TEST_CASE("AK-39 tiers and numbers of a token's claims, and never those of an API key's attribute with the same name")
{
    auto const tiers = load_limit("key: client.ip, fixed_window: { limit: 10, window: 10s }, "
                                  "from_attribute: { attribute: jwt.plan, max: 500, tiers: { gold: { limit: 50 } } }");
    REQUIRE(tiers);
    CHECK(tiers->settings.tokens->claims == std::vector<std::string>{"plan"});
    struct row {
        char const* value;
        std::int64_t burst;
    };
    for (auto const& [value, burst] : {row{"gold", 50}, row{"unlimited-please", 10}, row{"400", 400}, row{"501", 10}}) {
        CAPTURE(value);
        std::vector<base::field> const values{{"plan", value}};
        base::request_facts facts;
        facts.client = base::ip_address::parse("192.0.2.1");
        facts.api_key_attributes = values;
        CHECK(burst_for(*tiers, facts) == 10);
        facts.token_claims = values;
        CHECK(burst_for(*tiers, facts) == burst);
    }
}

TEST_CASE("queues, leases, shards and costs are compiled as they are written")
{
    auto const result =
        conf::load_text("listeners: [{ address: 127.0.0.1:8080 }]\n"
                        "redis: { url: \"redis://127.0.0.1\" }\n"
                        "client: { source: x-forwarded-for, trusted_proxies: [10.0.0.0/8] }\n"
                        "memory: { max_waiters: 77 }\n"
                        "upstreams: { app: { servers: [127.0.0.1:3000] } }\n"
                        "limits:\n"
                        "  a: { key: client.ip, token_bucket: { capacity: 200, refill: 200/second }, precision: leased,\n"
                        "       queue: { limit: 9, order: newest_first, timeout: 2s }, cost: { header: X-Cost, max: 7 } }\n"
                        "  b: { key: everyone, fixed_window: { limit: 403, window: 10s }, shards: 4 }\n"
                        "routes: [{ upstream: app, limits: [a, b], cost: { header: X-Weight, max: 3 } }]\n",
                        "test", ".", [](std::string const&) { return std::nullopt; });
    REQUIRE(result.snapshot);
    CHECK(result.problems.empty());
    CHECK(result.snapshot->settings.max_waiters == 77);
    auto const& a = result.snapshot->policies[0];
    CHECK(a.precision == limiter::precision::leased);
    CHECK(a.queue.limit == 9);
    CHECK(a.queue.order == limiter::queue_order::newest_first);
    CHECK(a.queue.timeout == std::chrono::seconds{2});
    REQUIRE(a.cost_from);
    CHECK(a.cost_from->name == "x-cost");
    CHECK(a.cost_from->most == 7);
    auto const& shards = result.snapshot->policies[1].quota.shards;
    REQUIRE(shards.size() == 4);
    std::int64_t sum = 0;
    for (auto const& shard : shards) sum += limiter::burst_of(shard);
    CHECK(sum == 403);
    REQUIRE(result.snapshot->plans[0].cost_from);
    CHECK(result.snapshot->plans[0].cost_from->name == "x-weight");
}
