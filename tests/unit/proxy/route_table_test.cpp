#include "proxy/route_table.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace penstock;
using namespace penstock::proxy;

namespace {

struct rule {
    std::string name, host, path;
    std::vector<std::string> methods;
};

route_table table_of(std::vector<rule> const& rules)
{
    std::vector<route> routes;
    for (auto const& r : rules) {
        route added;
        added.id = route_id{static_cast<std::uint32_t>(routes.size())};
        added.name = r.name;
        added.host = r.host;
        added.path = path_pattern{r.path};
        added.methods = r.methods;
        routes.push_back(std::move(added));
    }
    return route_table{std::move(routes)};
}

std::string taken(route_table const& table, std::string_view method, std::string_view host, std::string_view path)
{
    base::request_facts facts;
    facts.method = method;
    facts.host = host;
    facts.path = path;
    path_captures captures;
    auto const* found = table.match(facts, captures);
    return found ? found->name : "none";
}

} // namespace

TEST_CASE("the first route that matches host, path and method is taken")
{
    auto const table = table_of({
        {"health", "", "/healthz", {}},
        {"read", "api.example.com", "/items/**", {"GET"}},
        {"write", "api.example.com", "/items/**", {"POST", "PUT"}},
        {"any method", "api.example.com", "/items/*", {}},
        {"tenants", "*.tenants.example.com", "/**", {}},
        {"host only", "api.example.com", "/**", {}},
    });
    struct row {
        std::string_view method, host, path, expected;
    };
    for (auto const& r : {
             row{"GET", "other", "/healthz", "health"},
             row{"GET", "api.example.com", "/healthz", "health"},
             row{"GET", "api.example.com", "/items/1", "read"},
             row{"PUT", "api.example.com", "/items/1", "write"},
             row{"HEAD", "api.example.com", "/items/1", "any method"}, // H1-128: methods that are listed are exact
             row{"get", "api.example.com", "/items/1", "any method"},  // H1-26: methods have case
             row{"HEAD", "api.example.com", "/items", "host only"},
             row{"GET", "other", "/items/1", "none"},
             row{"GET", "a.tenants.example.com", "/", "tenants"},
             row{"GET", "a.b.tenants.example.com", "/", "tenants"},
             row{"GET", "tenants.example.com", "/", "none"},
             row{"GET", ".tenants.example.com", "/", "none"},
             row{"GET", "eviltenants.example.com", "/", "none"},
             row{"GET", "", "/", "none"},
         }) {
        CAPTURE(r.method);
        CAPTURE(r.host);
        CAPTURE(r.path);
        CHECK(taken(table, r.method, r.host, r.path) == r.expected);
    }
}

TEST_CASE("H1-128: HEAD counts like GET where no methods are listed")
{
    auto const table = table_of({{"all", "", "/a", {}}});
    CHECK(taken(table, "GET", "x", "/a") == "all");
    CHECK(taken(table, "HEAD", "x", "/a") == "all");
}

TEST_CASE("captures are those of the route that was taken")
{
    auto const table = table_of({{"one", "", "/{a}/x", {}}, {"two", "", "/{b}/{c}", {}}});
    base::request_facts facts;
    facts.method = "GET";
    facts.path = "/1/2";
    path_captures captures;
    REQUIRE(table.match(facts, captures));
    REQUIRE(captures.size() == 2);
    CHECK(captures[0].name == "b");
    CHECK(captures[1].value == "2");

    facts.path = "/1/2/3";
    CHECK_FALSE(table.match(facts, captures));
    CHECK(captures.empty());
}

TEST_CASE("an empty table takes nothing") { CHECK(taken(route_table{}, "GET", "x", "/") == "none"); }
