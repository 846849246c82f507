// A request with everything in it that a key may be made of, and the identity that a key makes of it.
#pragma once

#include "partition/partition_key.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace penstock::identified {

inline partition::hash_secret const secret{{1, 2, 3, 4, 5, 6, 7, 8}};

struct request {
    std::vector<base::field> fields{{"Host", "example.com"}, {"X-Tenant", "acme"}};
    std::vector<base::path_capture> captures{{"id", "7"}, {"token", "s3cr3t"}};
    base::request_facts facts{};

    request()
    {
        facts.method = "GET";
        facts.host = "example.com";
        facts.path = "/api/products";
        facts.client = base::ip_address::parse("203.0.113.9");
        facts.api_key = "secret123";
        facts.route = "products";
        use();
    }
    void use()
    {
        facts.fields = fields;
        facts.captures = captures;
    }
};

inline std::string identity(partition::descriptor const& what, base::request_facts const& facts)
{
    partition::partition_key key;
    return partition::append_identity(key, what, facts, secret) ? std::string{key.view()} : "missing";
}

inline partition::entry one(partition::entry_source source, std::string name = {}, std::uint8_t prefix = 64)
{
    partition::entry e;
    e.source = source;
    e.name = std::move(name);
    e.prefix = prefix;
    return e;
}

inline std::string of_query(std::string_view query, std::string_view name = "q")
{
    request r;
    r.facts.query = query;
    return identity({one(partition::entry_source::query, std::string{name})}, r.facts);
}

inline std::string of_fields(std::vector<base::field> fields, partition::entry const& what)
{
    request r;
    r.fields = std::move(fields);
    r.use();
    return identity({what}, r.facts);
}

} // namespace penstock::identified
