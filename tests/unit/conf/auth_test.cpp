// auth.api_keys, deny lists, and what failed attempts are charged to: from a document to the snapshot.
#include "conf/hash_secret.hpp"
#include "conf/load.hpp"
#include "conf/read_auth.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace penstock;

namespace {

conf::snapshot_ptr must_load(std::string const& text)
{
    std::string const fixed = "listeners: [{ address: 127.0.0.1:0 }]\nupstreams: { app: { servers: [127.0.0.1:3000] } }\n";
    auto const result = conf::load_text(fixed + text, "test.yaml", PENSTOCK_SOURCE_DIR "/tests/unit/conf",
                                        [](std::string const&) { return std::nullopt; });
    std::string problems;
    for (auto const& problem : result.problems) problems += problem.to_string() + '\n';
    CAPTURE(problems);
    REQUIRE(result.snapshot != nullptr);
    return result.snapshot;
}

std::vector<std::vector<std::string>> names_of(std::vector<limiter::term> const& terms)
{
    std::vector<std::vector<std::string>> names;
    for (auto const& term : terms) {
        auto& one = names.emplace_back();
        for (auto const* limit : term.first_of) one.push_back(limit->name);
    }
    return names;
}

using names = std::vector<std::vector<std::string>>;
using flags = std::vector<std::vector<bool>>;

// Of each limit in turn, which entries of its key a hash stands for.
flags hidden_in(limiter::plan const& limits)
{
    flags hidden;
    for (auto const& term : limits.terms) {
        auto& one = hidden.emplace_back();
        for (auto const& entry : term.first_of.front()->key) one.push_back(partition::is_hidden(entry));
    }
    return hidden;
}

} // namespace

TEST_CASE("AK-5: a limit by a place that API keys come from counts by a hash, whatever the place is called")
{
    auto const snapshot = must_load(
        "auth: { api_keys: { from: [header X-Partner, query k, authorization ApiKey, cookie c] } }\n"
        "limits:\n"
        "  header: { key: header.X-PARTNER, fixed_window: { limit: 1, window: 1s } }\n"
        "  query: { key: [client.ip, query.k], fixed_window: { limit: 1, window: 1s } }\n"
        "  elsewhere: { key: [header.k, query.x-partner, query.K, query.q], fixed_window: { limit: 1, window: 1s } }\n"
        "  by-name: { key: [header.authorization, cookie.c, query.otp], fixed_window: { limit: 1, window: 1s } }\n"
        "routes: [{ upstream: app, limits: [header, query, elsewhere, by-name] }]");
    CHECK(hidden_in(snapshot->plans.front()) == flags{{true}, {false, true}, {false, false, false, false}, {true, true, true}});
}

TEST_CASE("AK-5: the whole path is hashed where any route captures a credential from it")
{
    std::string const limits = "limits: { a: { key: [path, method], fixed_window: { limit: 1, window: 1s } } }\n";
    // A GET takes the second route.
    auto const captured =
        must_load(limits + "routes: [{ match: { path: '/reset/{token}', methods: [POST] }, upstream: app, limits: none },\n"
                           "         { upstream: app, limits: [a] }]");
    CHECK(hidden_in(captured->plans[1]) == flags{{true, false}});
    auto const other = must_load(limits + "routes: [{ match: { path: '/reset/{page}' }, upstream: app, limits: [a] }]");
    CHECK(hidden_in(other->plans[0]) == flags{{false, false}});
}

TEST_CASE("AK-35: how rarely and how long keys are gone by follows jwks_refresh where nothing else is written")
{
    auto const source_with = [](std::string const& written) {
        return must_load(
                   "auth: { jwt: { issuers: [{ issuer: a, audience: b, algorithms: ES256, jwks_url: https://id.example/k" +
                   written + " }] } }\nroutes: [{ upstream: app, limits: none }]")
            ->settings.tokens->issuers.front()
            .source;
    };
    constexpr base::micros second{1'000'000};
    struct row {
        std::string written;
        base::micros cooldown;
        base::micros stale;
    };
    for (auto const& r : {row{"", 30 * second, 86'400 * second}, row{", jwks_refresh: 10s", 10 * second, 86'400 * second},
                          row{", jwks_refresh: 1d", 30 * second, 2 * 86'400 * second},
                          row{", jwks_refresh: 1d, jwks_cooldown: 1h, jwks_stale: 25h", 3'600 * second, 90'000 * second},
                          row{", jwks_stale: off", 30 * second, base::micros{0}}}) {
        CAPTURE(r.written);
        CHECK(source_with(r.written).cooldown == r.cooldown);
        CHECK(source_with(r.written).stale == r.stale);
    }
}

TEST_CASE("AK-1: every place that an API key may come from")
{
    using source = conf::credential_source;
    auto const snapshot =
        must_load("auth: { api_keys: { strip_query: on, from: [header X-Key, authorization ApiKey, authorization "
                  "BEARER, authorization basic, query Api_Key, cookie Key] } }\n"
                  "routes: [{ upstream: app, limits: none }]");
    auto const& keys = snapshot->settings.api_keys;
    CHECK(keys.from == std::vector<source>{{source::place::header, "x-key"},
                                           {source::place::authorization, "apikey"},
                                           {source::place::authorization, "bearer"},
                                           {source::place::authorization, "basic"},
                                           {source::place::query, "Api_Key"},
                                           {source::place::cookie, "Key"}});
    CHECK(keys.strip_query);
    CHECK(keys.known == nullptr);
    CHECK(keys.on_unknown == conf::unknown_key::reject);
    CHECK(snapshot->settings.responses.api_key_challenges == "WWW-Authenticate: ApiKey realm=\"api\"\r\n"
                                                             "WWW-Authenticate: Bearer realm=\"api\"\r\n"
                                                             "WWW-Authenticate: Basic realm=\"api\", charset=\"UTF-8\"\r\n");
    for (auto const* wrong : {"", "header", "header ", "header a b", "Header X", "query ", "query a&b", "authorization",
                              "authorization Digest", "cookie a=b", "X-API-Key"}) {
        CAPTURE(wrong);
        CHECK(!conf::parse_credential_source(wrong));
    }
}

TEST_CASE("RL-72: deny lists of the gateway and of a route")
{
    auto const snapshot = must_load(R"(
auth: { api_keys: { from: [header X-API-Key] } }
deny: { addresses: [10.0.0.0/8, "2001:db8::/32"], except: 10.1.0.0/16 }
routes:
  - match: { path: /a }
    upstream: app
    limits: none
    deny: { api_keys_sha256: 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae, action: close }
  - { upstream: app, limits: none }
)");
    auto const denies = [&](std::string_view client) {
        return snapshot->settings.deny.denies(base::ip_address::parse(client).value());
    };
    CHECK(denies("10.2.3.4"));
    CHECK(!denies("10.1.3.4"));
    CHECK(!denies("11.0.0.1"));
    CHECK(denies("2001:db8::1"));
    CHECK(snapshot->settings.deny.action == conf::deny_action::reject);
    CHECK(snapshot->settings.deny.api_keys.empty());
    REQUIRE(snapshot->route_denials.size() == 2);
    CHECK(snapshot->route_denials[0].api_keys.contains(partition::digest_of("foo")));
    CHECK(snapshot->route_denials[0].action == conf::deny_action::close);
    CHECK(snapshot->route_denials[1].addresses.empty());
}

TEST_CASE("RL-72: who has no address is denied where everybody is")
{
    auto const denies_nameless = [](std::string const& addresses) {
        auto const snapshot = must_load("deny: { addresses: [" + addresses + "], except: [10.0.0.0/8] }\n" +
                                        "routes: [{ upstream: app, limits: none }]\n");
        return snapshot->settings.deny.denies(std::nullopt);
    };
    CHECK(denies_nameless("0.0.0.0/0, \"::/0\""));
    CHECK(denies_nameless("203.0.113.0/24, \"::/0\""));
    CHECK(!denies_nameless("0.0.0.0/8, 255.0.0.0/8"));
    CHECK(!denies_nameless("0.0.0.0/1"));
}

TEST_CASE("AK-40: a failed attempt is charged to before_auth, else to what counts by address and nobody shares")
{
    auto const snapshot = must_load(R"(
auth: { api_keys: { from: [header X-API-Key] } }
limits:
  address: { key: client.ip, fixed_window: { limit: 10, window: 10s } }
  network: { key: [client.network/24, route], fixed_window: { limit: 10, window: 10s } }
  open: { key: client.ip, concurrency: { limit: 5 } }
  key: { key: api_key, fixed_window: { limit: 10, window: 10s } }
  both: { key: [client.ip, header.x-tenant], fixed_window: { limit: 10, window: 10s } }
  all: { key: everyone, fixed_window: { limit: 10, window: 10s } }
  host: { key: [client.ip, host], fixed_window: { limit: 10, window: 10s } }
global_limits: [all]
routes:
  - { match: { path: /a }, upstream: app, before_auth: [address, network], limits: [key] }
  - { match: { path: /b }, upstream: app, limits: [{ first_of: [key, address] }, both, open, network] }
  - { match: { path: /c }, upstream: app, limits: [key] }
  - { match: { path: /d }, upstream: app, limits: none }
  - { match: { path: /e, host: api.example.com }, upstream: app, limits: [host] }
  - { match: { path: /f, host: "*.example.com" }, upstream: app, limits: [host] }
)");
    auto const& plans = snapshot->plans;
    CHECK(plans[0].before_auth == 2);
    CHECK(names_of(plans[0].terms) == names{{"address"}, {"network"}, {"all"}, {"key"}});
    CHECK(names_of(plans[0].failed_attempt) == names{{"address"}, {"network"}});
    CHECK(plans[1].before_auth == 0);
    CHECK(names_of(plans[1].failed_attempt) == names{{"address"}, {"network"}});
    CHECK(plans[2].failed_attempt.empty());
    CHECK(plans[3].before_auth == 0);
    CHECK(plans[3].failed_attempt.empty());
    CHECK(names_of(plans[4].failed_attempt) == names{{"host"}});
    CHECK(plans[5].failed_attempt.empty()); // with a new host in each attempt it would count none
}

TEST_CASE("AK-36: where tokens are verified, limits that count attempts by address are asked first, if they meet everybody")
{
    auto const snapshot = must_load(R"(
auth:
  api_keys: { from: [header X-API-Key] }
  jwt: { issuers: [{ issuer: https://id.example.com, audience: api, algorithms: [ES256], jwks_file: keys.json }] }
limits:
  address: { key: client.ip, fixed_window: { limit: 10, window: 10s } }
  network: { key: client.network/24, fixed_window: { limit: 10, window: 10s } }
  tiered: { key: client.ip, fixed_window: { limit: 10, window: 10s }, from_attribute: { attribute: jwt.plan, tiers: { gold: { limit: 20 } } } }
  open: { key: client.ip, concurrency: { limit: 5 } }
  subject: { key: jwt.sub, fixed_window: { limit: 10, window: 10s } }
  all: { key: everyone, fixed_window: { limit: 10, window: 10s } }
routes:
  - { match: { path: /a }, upstream: app, limits: [subject, address, open, all, network] }
  - { match: { path: /b }, upstream: app, limits: [network, { first_of: [subject, address] }] }
  - { match: { path: /c }, upstream: app, limits: [subject, tiered] }
  - { match: { path: /d }, upstream: app, limits: [subject] }
  - { match: { path: /e }, upstream: app, before_auth: [network], limits: [subject, address] }
  - { match: { path: /f }, upstream: app, limits: none }
)");
    auto const& plans = snapshot->plans;
    CHECK(plans[0].before_auth == 2);
    CHECK(names_of(plans[0].terms) == names{{"address"}, {"network"}, {"subject"}, {"open"}, {"all"}});
    CHECK(names_of(plans[0].failed_attempt) == names{{"address"}, {"network"}});
    CHECK(plans[1].before_auth == 0); // who has a good token is not to be refused by `address`
    CHECK(names_of(plans[1].failed_attempt) == names{{"network"}, {"address"}});
    CHECK(plans[2].before_auth == 0); // the token has a say in the numbers
    CHECK(plans[3].before_auth == 0);
    CHECK(plans[4].before_auth == 1);
    CHECK(names_of(plans[4].failed_attempt) == names{{"network"}});
    CHECK(plans[5].before_auth == 0);
}

TEST_CASE("AK-45: a listener beyond this machine that takes credentials without TLS is warned of")
{
    struct row {
        std::string_view name;
        std::string_view listener;
        std::string_view rest;
        bool warned;
    };
    constexpr std::string_view keys = "auth: { api_keys: { from: [header X-API-Key] } }";
    constexpr std::string_view proxied =
        "auth: { api_keys: { from: [header X-API-Key] } }\nclient: { trusted_proxies: [10.0.0.0/8] }";
    for (auto const& r : {
             row{"every address", "0.0.0.0:0", keys, true},
             row{"every address, IPv6", "\"[::]:0\"", keys, true},
             row{"one beyond this machine", "192.0.2.1:0", keys, true},
             row{"this machine", "127.0.0.1:0", keys, false},
             row{"this machine, IPv6", "\"[::1]:0\"", keys, false},
             row{"a unix socket", "unix:/run/penstock.sock", keys, false},
             row{"behind a proxy that ends TLS", "0.0.0.0:0", proxied, false},
             row{"no credentials", "0.0.0.0:0", "", false},
         }) {
        CAPTURE(r.name);
        auto const text =
            "listeners: [{ address: " + std::string(r.listener) +
            " }]\nupstreams: { app: { servers: [127.0.0.1:3000] } }\nroutes: [{ upstream: app, limits: none }]\n" +
            std::string(r.rest) + "\n";
        auto const result = conf::load_text(text, "test.yaml", ".", [](std::string const&) { return std::nullopt; });
        CHECK(result.snapshot != nullptr);
        auto const is_warning = [](auto const& each) { return each.to_string().find("(AK-45)") != std::string::npos; };
        CHECK(std::ranges::any_of(result.problems, is_warning) == r.warned);
    }
}

TEST_CASE("AK-5: without Redis the secret of hashes is the process's own, and a reload keeps it")
{
    auto const text = "routes: [{ upstream: app, limits: none }]\n";
    auto const first = must_load(text);
    CHECK(first->keys.secret == must_load(text)->keys.secret);
    auto const shared = must_load(std::string("redis: { url: redis://127.0.0.1 }\n") + text);
    CHECK(first->keys.secret != shared->keys.secret);
    CHECK(shared->keys.secret == conf::public_hash_secret());
    CHECK(first->keys.secret != partition::hash_secret{{}});
}
