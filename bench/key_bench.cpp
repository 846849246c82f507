// Nanoseconds and allocations to find the client and name its counter, by source; to name one counter, by kind of key; to
// name all counters of a request, by what its limits count by; and all of that for a request with a token that is in the cache:
// what every request pays before the limiter is asked. Prints one line per kind, the least of many short rounds (some of which
// are not interrupted, even on a busy machine). With an argument only the kinds that contain it, each so many times as a second
// one says: for callgrind. No assertion.
#include "gateway/token_check.hpp"
#include "limiter/classify.hpp"
#include "partition/client_address.hpp"
#include "partition/digest_cache.hpp"
#include "partition/digest_table.hpp"
#include "partition/partition_key.hpp"
#include "tests/unit/auth/minting.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

std::size_t allocations = 0;

} // namespace

void* operator new(std::size_t size)
{
    ++allocations;
    if (void* const made = std::malloc(size)) return made;
    throw std::bad_alloc{};
}
void operator delete(void* made) noexcept { std::free(made); }
void operator delete(void* made, std::size_t) noexcept { std::free(made); }

namespace {

using namespace penstock;
using partition::entry_source;

partition::hash_secret const secret{{1, 2, 3, 4}};
partition::digest_cache lately{{.k0 = 1, .k1 = 2}};
constexpr int rounds = 500;
constexpr int keys_per_round = 2'000;

std::string_view only; // kinds whose name contains it; empty: all
int times = 0;         // 0: measured in rounds; else so many times, and nothing is measured

partition::entry one(entry_source source, std::string_view name = {})
{
    partition::entry e;
    e.source = source;
    e.name = name;
    e.value = partition::is_hidden(e) ? partition::hiding::hashed : partition::hiding::clear; // as the compiler settles it
    return e;
}

struct cost {
    double nanoseconds = 1e9;
    double allocations = 0;
};

template <class Work>
cost cost_of(Work const& work)
{
    using steady = std::chrono::steady_clock;
    cost least;
    std::size_t written = work(); // keeps the work from being removed; what keeps its memory takes it the first time
    auto const allocated = allocations;
    for (int round = 0; round < rounds; ++round) {
        auto const start = steady::now();
        for (int i = 0; i < keys_per_round; ++i) written += work();
        std::chrono::duration<double, std::nano> const took = steady::now() - start;
        least.nanoseconds = std::min(least.nanoseconds, took.count() / keys_per_round);
    }
    least.allocations = static_cast<double>(allocations - allocated) / rounds / keys_per_round;
    return written > 0 ? least : cost{};
}

template <class Work>
void print(std::string_view kind, Work const& work)
{
    if (kind.find(only) == std::string_view::npos) return;
    if (times > 0) {
        std::size_t written = 0;
        for (int i = 0; i < times; ++i) written += work();
        std::printf("%.*s: %zu\n", static_cast<int>(kind.size()), kind.data(), written);
        return;
    }
    auto const least = cost_of(work);
    std::printf("%-48.*s %7.1f ns %5.2f allocations\n", static_cast<int>(kind.size()), kind.data(), least.nanoseconds,
                least.allocations);
}

void print_key(std::string_view kind, partition::descriptor const& what, base::request_facts const& facts)
{
    print(kind, [&] {
        partition::partition_key key;
        key.append("rl:");
        partition::append_identity(key, what, facts, secret, &lately);
        return key.view().size();
    });
}

// Who is calling, then the key of the address.
void print_client(std::string_view kind, partition::client_settings settings, base::request_facts facts)
{
    settings.trusted_proxies = {*base::ip_network::parse("10.0.0.0/8"), *base::ip_network::parse("2001:db8:f::/48")};
    auto const peer = base::ip_address::parse("10.0.0.1");
    partition::descriptor const what{one(entry_source::client_ip)};
    print(kind, [&] {
        facts.client = partition::find_client(settings, peer, facts.fields).client;
        partition::partition_key key;
        key.append("rl:");
        partition::append_identity(key, what, facts, secret, &lately);
        return key.view().size();
    });
}

void print_clients(base::request_facts const& facts)
{
    partition::client_settings settings;
    print_client("the peer", settings, facts);
    settings.source = partition::address_source::x_forwarded_for;
    print_client("X-Forwarded-For, IPv4 behind one hop", settings, facts);
    settings.source = partition::address_source::forwarded;
    print_client("Forwarded, IPv6 behind one hop", settings, facts);
    settings.source = partition::address_source::single_field;
    settings.field = "x-real-ip";
    print_client("X-Real-IP, IPv4", settings, facts);
}

// A route's limits, one for each key.
struct route {
    explicit route(std::vector<partition::descriptor> const& keys)
    {
        for (auto const& key : keys) {
            auto& limit = limits.emplace_back();
            limit.name = "limit-" + std::to_string(limits.size());
            limit.key = key;
            limit.quota.algorithm = *limiter::make_fixed_window(10, base::micros{10'000'000});
            limit.quota.key_suffix = ":" + limit.name + ":" + limiter::tag_of(limit.quota.algorithm);
            plan.terms.push_back({{&limit}});
        }
    }
    std::deque<limiter::policy> limits;
    limiter::plan plan;
};

void print_request(std::string_view kind, std::vector<partition::descriptor> const& keys, base::request_facts const& facts)
{
    route const met(keys);
    limiter::key_settings const settings{"rl:", secret};
    limiter::classified asked;
    print(kind, [&] {
        limiter::classify(met.plan, facts, settings, 0, asked, &lately);
        return asked.claims.size();
    });
}

// An API key that changes with each request, in place as if it had just been received.
class changing_key {
public:
    std::string_view next()
    {
        for (auto at = text_.rbegin(); ++*at > '9'; ++at) *at = '0';
        return text_;
    }

private:
    std::string text_ = "9f86d081884c7d659a2feaa000000000";
};

// From the fields to all counters: what the whole of a request without a token costs.
void print_whole(std::string_view kind, std::vector<partition::descriptor> const& keys, partition::address_source source,
                 base::request_facts facts, changing_key* other = nullptr)
{
    partition::client_settings settings;
    settings.source = source;
    settings.trusted_proxies = {*base::ip_network::parse("10.0.0.0/8"), *base::ip_network::parse("2001:db8:f::/48")};
    auto const peer = base::ip_address::parse("10.0.0.1");
    route const met(keys);
    limiter::key_settings const named{"rl:", secret};
    limiter::classified asked;
    print(kind, [&] {
        facts.client = partition::find_client(settings, peer, facts.fields).client;
        if (other != nullptr) facts.api_key = other->next();
        limiter::classify(met.plan, facts, named, 0, asked, &lately);
        return asked.claims.size();
    });
}

// An issuer, a token of which the cache knows that it is good, and a request that presents it.
class signed_in {
public:
    signed_in(auth::algorithm use, std::string const& issuer, base::request_facts facts) : facts_(std::move(facts))
    {
        auto const& key = minting::key_of(use);
        settings_.issuers.push_back({.name = issuer,
                                     .audiences = {"api"},
                                     .algorithms = {use},
                                     .type = {},
                                     .scopes = {},
                                     .source = {},
                                     .keys = auth::parse_key_set(minting::jwks(key.jwk()), std::vector{use}).keys});
        settings_.claims = {"sub", "tenant"};
        value_ = "Bearer " + key.token(R"({"iss":")" + issuer +
                                       R"(","aud":"api","exp":1800003600,"iat":1800000000,)"
                                       R"("jti":"6c1f0b0e-5d1f-4a51-9c0e-1d9f6d0a3c55","sub":"user-4711","tenant":"acme",)"
                                       R"("scope":"orders:read orders:write"})");
        fields_.assign(facts_.fields.begin(), facts_.fields.end());
        fields_.push_back({"Authorization", value_});
        facts_.fields = fields_;
        checker_.emplace(settings_, counts_, base::hash_key{1, 2}, [](std::string const&) {});
        auto seen = checker_->look(facts_, now_us);
        checker_->verify(seen, now_us);
        if (!checker_->look(facts_, now_us).accepted) std::abort();
    }

    void print_whole(std::string_view kind, std::vector<partition::descriptor> const& keys)
    {
        route const met(keys);
        limiter::key_settings const named{"rl:", secret};
        limiter::classified asked;
        partition::client_settings const source;
        auto const peer = base::ip_address::parse("203.0.113.9");
        print(kind, [&] {
            facts_.client = partition::find_client(source, peer, facts_.fields).client;
            auto const seen = checker_->look(facts_, now_us);
            seen.describe_in(facts_);
            limiter::classify(met.plan, facts_, named, 0, asked, &lately);
            return asked.claims.size();
        });
    }
    void print_look(std::string_view kind)
    {
        print(kind, [&] { return checker_->look(facts_, now_us).accepted->claims.size(); });
    }
    [[nodiscard]] std::size_t token_bytes() const noexcept { return value_.size() - 7; }

private:
    static constexpr std::int64_t now_us = 1'800'000'000'000'000;
    base::request_facts facts_;
    auth::token_settings settings_;
    gateway::token_counts counts_{};
    std::string value_;
    std::vector<base::field> fields_;
    std::optional<gateway::token_checker> checker_;
};

void print_token(auth::algorithm use, base::request_facts const& facts)
{
    partition::descriptor const address{one(entry_source::client_ip)};
    partition::descriptor const subject{one(entry_source::jwt_claim, "sub")};
    partition::descriptor const both{one(entry_source::jwt_claim, "sub"), one(entry_source::jwt_claim, "tenant")};
    auto const name = std::string(auth::name_of(use)) + ", ";
    if (only.substr(0, name.size()) != name && !only.empty()) return; // no need for a key
    signed_in caller(use, "https://id.example.com/", facts);
    std::printf("%stoken of %zu bytes\n", name.c_str(), caller.token_bytes());
    caller.print_look(name + "found in the cache");
    caller.print_whole(name + "jwt.sub", {subject});
    caller.print_whole(name + "[jwt.sub, jwt.tenant]", {both});
    caller.print_whole(name + "client.ip, [jwt.sub, jwt.tenant]", {address, both});
    partition::descriptor const on_route{one(entry_source::jwt_claim, "sub"), one(entry_source::route)};
    signed_in from_afar(use, "https://login.example.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0", facts);
    from_afar.print_whole(name + "issuer of 66 bytes: client.ip, jwt.sub", {address, subject});
    from_afar.print_whole(name + "the same, and [jwt.sub, route]", {address, subject, on_route});
}

} // namespace

int main(int argc, char** argv)
{
    if (argc > 1) only = argv[1];
    if (argc > 2) times = std::atoi(argv[2]);

    std::vector<base::field> const fields{{"Host", "api.example.com"},
                                          {"User-Agent", "Mozilla/5.0 (X11; Linux x86_64)"},
                                          {"Accept", "application/json"},
                                          {"Accept-Encoding", "gzip, br"},
                                          {"X-Request-ID", "0b1f9f4c"},
                                          {"X-Tenant", "acme"},
                                          {"X-API-Key", "9f86d081884c7d659a2feaa0c55ad015"}};
    base::request_facts facts;
    facts.fields = fields;
    facts.api_key = fields.back().value;
    facts.route = "products";
    facts.query = "page=2&user=jane%20doe";

    auto chained = fields;
    chained.push_back({"X-Forwarded-For", "6.6.6.6, 198.51.100.7, 10.0.0.2"});
    chained.push_back({"Forwarded", R"(for=6.6.6.6, for="[2001:db8:1:2::7]:4711";proto=https, for=10.0.0.2)"});
    chained.push_back({"X-Real-IP", "198.51.100.7"});
    chained.push_back({"Cookie", "theme=dark; session=9f86d081884c7d659a2feaa0c55ad0159f86d081884c7d659a2feaa0c55ad015"});
    auto from_proxy = facts;
    from_proxy.fields = chained;

    std::puts("the client, and its counter");
    print_clients(from_proxy);

    std::puts("one counter");
    facts.client = base::ip_address::parse("203.0.113.9");
    print_key("client.ip, IPv4", {one(entry_source::client_ip)}, facts);
    facts.client = base::ip_address::parse("2001:db8:1:2:a:b:c:d");
    print_key("client.ip, IPv6", {one(entry_source::client_ip)}, facts);
    print_key("everyone", {one(entry_source::everyone)}, facts);
    print_key("header.x-tenant", {one(entry_source::header, "x-tenant")}, facts);
    print_key("query.user", {one(entry_source::query, "user")}, facts);
    print_key("api_key", {one(entry_source::api_key)}, facts);
    print_key("[api_key, route]", {one(entry_source::api_key), one(entry_source::route)}, facts);
    print_key("longer than 64 bytes, hashed",
              {one(entry_source::header, "user-agent"), one(entry_source::header, "x-tenant"), one(entry_source::api_key)},
              facts);

    std::puts("all counters of a request");
    partition::descriptor const address{one(entry_source::client_ip)};
    partition::descriptor const address_and_route{one(entry_source::client_ip), one(entry_source::route)};
    partition::descriptor const everyone{one(entry_source::everyone)};
    partition::descriptor const api_key{one(entry_source::api_key)};
    print_request("client.ip", {address}, facts);
    print_request("client.ip, [client.ip, route], everyone", {address, address_and_route, everyone}, facts);
    print_request("client.ip, api_key", {address, api_key}, facts);
    print_request("client.ip, api_key, everyone", {address, api_key, everyone}, facts);

    std::puts("the client, and all counters");
    print_whole("X-Forwarded-For: client.ip", {address}, partition::address_source::x_forwarded_for, from_proxy);
    print_whole("X-Forwarded-For: client.ip, api_key", {address, api_key}, partition::address_source::x_forwarded_for,
                from_proxy);
    print_whole("Forwarded: client.ip, api_key", {address, api_key}, partition::address_source::forwarded, from_proxy);
    auto with_long_key = from_proxy;
    std::string const long_key = "9f86d081884c7d659a2feaa0c55ad0159f86d081884c7d659a2feaa0c55ad015";
    with_long_key.api_key = long_key;
    print_whole("X-Forwarded-For: client.ip, api_key (64 bytes)", {address, api_key},
                partition::address_source::x_forwarded_for, with_long_key);
    print_whole("X-Forwarded-For: client.ip, [api_key, header]",
                {address, {one(entry_source::api_key), one(entry_source::header, "x-tenant")}},
                partition::address_source::x_forwarded_for, from_proxy);
    print_whole("X-Forwarded-For: client.ip, cookie.session", {address, {one(entry_source::cookie, "session")}},
                partition::address_source::x_forwarded_for, from_proxy);
    changing_key other; // found among no hashes that came lately
    print_whole("X-Forwarded-For: client.ip, another api_key", {address, api_key}, partition::address_source::x_forwarded_for,
                from_proxy, &other);
    print_whole("Forwarded: client.ip, another api_key", {address, api_key}, partition::address_source::forwarded, from_proxy,
                &other);

    std::puts("all counters of a request whose token is in the cache");
    print_token(auth::algorithm::es256, facts);
    print_token(auth::algorithm::rs256, facts);

    std::puts("a presented API key");
    std::vector<partition::sha256_digest> digests;
    for (int i = 0; i < 10'000; ++i) digests.push_back(partition::digest_of("key-" + std::to_string(i)));
    digests.push_back(partition::digest_of(facts.api_key));
    partition::digest_table const known(digests);
    print("digested, and found among 10,000", [&] { return known.find(partition::digest_of(facts.api_key)).value_or(0); });
}
