// Nanoseconds and allocations to name one counter, by kind of key: what every limit of every request pays before the limiter
// is asked; and the same with finding the client first, by each source. Prints one line per kind, the least of several
// rounds (what the machine does when nothing else runs). No assertion.
#include "partition/client_address.hpp"
#include "partition/partition_key.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string_view>
#include <vector>

namespace {

std::atomic<std::size_t> allocations = 0;

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
constexpr int rounds = 500; // short ones: some of them are not interrupted, even on a busy machine
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

// `key_size` makes one key and returns its size.
template <class Make>
cost cost_of(Make key_size)
{
    using steady = std::chrono::steady_clock;
    cost least;
    std::size_t written = 0; // keeps the work from being removed
    auto const allocated = allocations.load();
    for (int round = 0; round < rounds; ++round) {
        auto const start = steady::now();
        for (int i = 0; i < keys_per_round; ++i) written += key_size();
        std::chrono::duration<double, std::nano> const took = steady::now() - start;
        least.nanoseconds = std::min(least.nanoseconds, took.count() / keys_per_round);
    }
    least.allocations = static_cast<double>(allocations.load() - allocated) / rounds / keys_per_round;
    return written > 0 ? least : cost{};
}

std::size_t key_size(partition::descriptor const& what, base::request_facts const& facts)
{
    partition::partition_key key;
    key.append("rl:");
    partition::append_identity(key, what, facts, secret);
    return key.view().size();
}

void print(std::string_view kind, cost const& each)
{
    std::printf("%-36.*s %7.1f ns %5.2f allocations\n", static_cast<int>(kind.size()), kind.data(), each.nanoseconds,
                each.allocations);
}

void print(std::string_view kind, partition::descriptor const& what, base::request_facts const& facts)
{
    print(kind, cost_of([&] { return key_size(what, facts); }));
}

// As a request pays it: who is calling, then the key of the address.
void print_client(std::string_view kind, partition::client_settings settings, base::request_facts facts)
{
    settings.trusted_proxies = {*base::ip_network::parse("10.0.0.0/8"), *base::ip_network::parse("2001:db8:f::/48")};
    auto const peer = base::ip_address::parse("10.0.0.1");
    partition::descriptor const what{one(entry_source::client_ip)};
    print(kind, cost_of([&] {
              facts.client = partition::find_client(settings, peer, facts.fields).client;
              return key_size(what, facts);
          }));
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

    facts.client = base::ip_address::parse("203.0.113.9");
    print("client.ip, IPv4", {one(entry_source::client_ip)}, facts);
    facts.client = base::ip_address::parse("2001:db8:1:2:a:b:c:d");
    print("client.ip, IPv6", {one(entry_source::client_ip)}, facts);
    print("everyone", {one(entry_source::everyone)}, facts);
    print("header.x-tenant", {one(entry_source::header, "x-tenant")}, facts);
    print("query.user", {one(entry_source::query, "user")}, facts);
    print("api_key", {one(entry_source::api_key)}, facts);
    print("[api_key, route]", {one(entry_source::api_key), one(entry_source::route)}, facts);
    print("longer than 64 bytes, hashed",
          {one(entry_source::header, "user-agent"), one(entry_source::header, "x-tenant"), one(entry_source::api_key)}, facts);

    auto behind_proxies = fields;
    behind_proxies.push_back({"X-Forwarded-For", "6.6.6.6, 198.51.100.7, 10.0.0.2"});
    behind_proxies.push_back({"Forwarded", R"(for=6.6.6.6, for="[2001:db8:1:2::7]:4711";proto=https, for=10.0.0.2)"});
    behind_proxies.push_back({"X-Real-IP", "198.51.100.7"});
    facts.fields = behind_proxies;
    partition::client_settings settings;
    print_client("find by peer, client.ip", settings, facts);
    settings.source = partition::address_source::x_forwarded_for;
    print_client("find by X-Forwarded-For, client.ip", settings, facts);
    settings.source = partition::address_source::forwarded;
    print_client("find by Forwarded, client.ip IPv6", settings, facts);
    settings.source = partition::address_source::single_field;
    settings.field = "x-real-ip";
    print_client("find by X-Real-IP, client.ip", settings, facts);
}
