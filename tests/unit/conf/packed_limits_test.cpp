// Which limits share a Redis key, as the configuration is compiled.
#include "conf/load.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace penstock;

namespace {

// The names of the limits that share a key, in their order.
std::string packed_of(std::string const& limits)
{
    auto const result = conf::load_text("listeners: [{ address: 127.0.0.1:8080 }]\n"
                                        "redis: { url: \"redis://127.0.0.1:6379\" }\n"
                                        "upstreams: { app: { servers: [127.0.0.1:3000] } }\n"
                                        "limits: { " +
                                            limits + " }\nroutes: [{ upstream: app }]\n",
                                        "test", ".", [](std::string const&) { return std::nullopt; });
    for (auto const& problem : result.problems) {
        if (problem.level == conf::problem::severity::error) MESSAGE(problem.to_string());
    }
    REQUIRE(result.snapshot);
    std::string names;
    for (auto const& policy : result.snapshot->policies)
        if (policy.packed_id != 0) names += policy.name + " ";
    return names;
}

} // namespace

TEST_CASE("token buckets of the same callers share a key, and nothing else does")
{
    std::string const alone = "a: { key: client.ip, token_bucket: { capacity: 10, refill: 10/s } }, ";
    struct row {
        char const* other;
        char const* packed;
    };
    for (auto const& row : {
             row{"", ""},
             row{"b: { key: client.ip, token_bucket: { capacity: 300, refill: 300/m } }", "a b "},
             row{"b: { key: client.ip, enforce: shadow, cost: 2, token_bucket: { capacity: 3, refill: 3/m } }", "a b "},
             row{"b: { key: host, token_bucket: { capacity: 300, refill: 300/m } }", ""},
             row{"b: { key: [client.ip, method], token_bucket: { capacity: 300, refill: 300/m } }", ""},
             row{"b: { key: client.ip, scope: instance, token_bucket: { capacity: 300, refill: 300/m } }", ""},
             row{"b: { key: client.ip, precision: leased, token_bucket: { capacity: 300, refill: 300/m } }", ""},
             row{"b: { key: client.ip, shards: 2, token_bucket: { capacity: 300, refill: 300/m } }", ""},
             row{"b: { key: client.ip, fixed_window: { limit: 300, window: 1m } }", ""},
             row{"b: { key: client.ip, fixed_window: { limit: 300, window: 1m } }, "
                 "c: { key: client.ip, token_bucket: { capacity: 5, refill: 3/h } }",
                 "a c "},
             row{"b: { key: host, token_bucket: { capacity: 5, refill: 3/m } }, "
                 "c: { key: client.ip, token_bucket: { capacity: 5, refill: 3/h } }, "
                 "d: { key: host, token_bucket: { capacity: 5, refill: 3/h } }",
                 "a b c d "},
         }) {
        CAPTURE(row.other);
        CHECK(packed_of(alone + row.other) == row.packed);
    }
}
