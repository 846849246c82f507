// Nanoseconds and allocations to find the client and name its counter, by source; to name one counter, by kind of key; and to
// name all counters of a request, by what its limits count by: what every request pays before the limiter is asked. Prints one
// line per kind, the least of many short rounds (some of which are not interrupted, even on a busy machine). No assertion.
#include "limiter/classify.hpp"
#include "partition/client_address.hpp"
#include "partition/digest_table.hpp"
#include "partition/partition_key.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <new>
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

constexpr partition::hash_secret secret{1, 2, 3, 4};
constexpr int rounds = 500;
constexpr int keys_per_round = 2'000;

partition::entry one(entry_source source, std::string_view name = {})
{
    partition::entry e;
    e.source = source;
    e.name = name;
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
    auto const least = cost_of(work);
    std::printf("%-44.*s %7.1f ns %5.2f allocations\n", static_cast<int>(kind.size()), kind.data(), least.nanoseconds,
                least.allocations);
}

void print_key(std::string_view kind, partition::descriptor const& what, base::request_facts const& facts)
{
    print(kind, [&] {
        partition::partition_key key;
        key.append("rl:");
        partition::append_identity(key, what, facts, secret);
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
        partition::append_identity(key, what, facts, secret);
        return key.view().size();
    });
}

void print_clients(std::vector<base::field> fields)
{
    fields.push_back({"X-Forwarded-For", "6.6.6.6, 198.51.100.7, 10.0.0.2"});
    fields.push_back({"Forwarded", R"(for=6.6.6.6, for="[2001:db8:1:2::7]:4711";proto=https, for=10.0.0.2)"});
    fields.push_back({"X-Real-IP", "198.51.100.7"});
    base::request_facts facts;
    facts.fields = fields;
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
        limiter::classify(met.plan, facts, settings, 0, asked);
        return asked.claims.size();
    });
}

} // namespace

int main()
{
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

    std::puts("the client, and its counter");
    print_clients(fields);

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

    std::puts("a presented API key");
    std::vector<partition::sha256_digest> digests;
    for (int i = 0; i < 10'000; ++i) digests.push_back(partition::digest_of("key-" + std::to_string(i)));
    digests.push_back(partition::digest_of(facts.api_key));
    partition::digest_table const known(digests);
    print("digested, and found among 10,000", [&] { return known.find(partition::digest_of(facts.api_key)).value_or(0); });
}
