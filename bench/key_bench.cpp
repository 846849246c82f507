// Nanoseconds to name one counter, by kind of key: what every limit of every request pays before the limiter is asked.
// Prints one line per kind, the least of several rounds (what the machine does when nothing else runs). No assertion.
#include "partition/partition_key.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string_view>
#include <vector>

namespace {

using namespace penstock;
using partition::entry_source;

constexpr partition::hash_secret secret{1, 2, 3, 4};
constexpr int rounds = 9;
constexpr int keys_per_round = 400'000;

partition::entry one(entry_source source, std::string_view name = {})
{
    partition::entry e;
    e.source = source;
    e.name = name;
    return e;
}

double nanoseconds_per_key(partition::descriptor const& what, base::request_facts const& facts)
{
    using steady = std::chrono::steady_clock;
    double least = 1e9;
    std::size_t written = 0; // keeps the work from being removed
    for (int round = 0; round < rounds; ++round) {
        auto const start = steady::now();
        for (int i = 0; i < keys_per_round; ++i) {
            partition::partition_key key;
            key.append("rl:");
            partition::append_identity(key, what, facts, secret);
            written += key.view().size();
        }
        std::chrono::duration<double, std::nano> const took = steady::now() - start;
        least = std::min(least, took.count() / keys_per_round);
    }
    return written > 0 ? least : 0;
}

void print(std::string_view kind, partition::descriptor const& what, base::request_facts const& facts)
{
    std::printf("%-28.*s %7.1f ns\n", static_cast<int>(kind.size()), kind.data(), nanoseconds_per_key(what, facts));
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
}
