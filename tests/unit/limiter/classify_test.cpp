#include "limiter/classify.hpp"
#include "tests/unit/limiter/claims.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <string>
#include <vector>

namespace penstock::limiter {
namespace {

using partition::entry_source;
using tests::policy_of;
using tests::seconds;

constexpr std::string_view partner_key = "partner-key";

partition::network_set only(std::string_view network)
{
    return partition::network_set(std::vector{*base::ip_network::parse(network)});
}

policy limit_by(std::string const& name, entry_source source)
{
    auto result = policy_of(name, *make_fixed_window(10, seconds(10)));
    result.key.push_back({.source = source, .name = {}, .prefix = 64});
    return result;
}

struct fixture {
    policy by_address = limit_by("per-address", entry_source::client_ip);
    policy by_key = limit_by("per-key", entry_source::api_key);
    policy by_all = limit_by("all", entry_source::everyone);
    key_settings keys;
    base::request_facts facts;

    fixture() { facts.client = base::ip_address::parse("203.0.113.9"); }

    classified const& classify(std::vector<term> terms, std::optional<std::int64_t> cost = {})
    {
        limits.terms = std::move(terms);
        limits.cost = cost;
        limiter::classify(limits, facts, keys, turn++, all.emplace_back());
        return all.back();
    }

    plan limits;
    std::uint32_t turn = 0;
    std::deque<classified> all;
};

std::vector<std::string> names_of(classified const& what)
{
    std::vector<std::string> result;
    for (auto const& each : what.claims) result.push_back(each.policy->name);
    return result;
}

using names = std::vector<std::string>;

} // namespace

TEST_CASE_FIXTURE(fixture, "a limit is claimed under prefix, identity, name and algorithm")
{
    keys.prefix = "shop:";
    auto const& got = classify({{{&by_address}}});
    REQUIRE(got.claims.size() == 1);
    CHECK(got.claims[0].key.view() == "shop:{ip=203.0.113.9}:per-address:fw10s");
    CHECK(got.claims[0].cost == 1);
    CHECK(got.missing_key == nullptr);
}

TEST_CASE_FIXTURE(fixture, "every term is claimed, in order")
{
    facts.api_key = "k";
    CHECK(names_of(classify({{{&by_all}}, {{&by_address}}, {{&by_key}}})) == names{"all", "per-address", "per-key"});
    CHECK(names_of(classify({})).empty());
}

TEST_CASE_FIXTURE(fixture, "first_of takes the first limit whose key the request has")
{
    CHECK(names_of(classify({{{&by_key, &by_address}}})) == names{"per-address"});
    facts.api_key = "k";
    CHECK(names_of(classify({{{&by_key, &by_address}}})) == names{"per-key"});
}

TEST_CASE_FIXTURE(fixture, "a limit whose key the request lacks does not apply")
{
    auto const& got = classify({{{&by_key}}, {{&by_address}}});
    CHECK(names_of(got) == names{"per-address"});
    CHECK(got.missing_key == nullptr);
}

TEST_CASE_FIXTURE(fixture, "on_missing_key: reject names the limit")
{
    by_key.on_missing_key = missing_key::reject;
    CHECK(classify({{{&by_key}}}).missing_key == &by_key);
    facts.api_key = "k";
    CHECK(classify({{{&by_key}}}).missing_key == nullptr);
}

TEST_CASE_FIXTURE(fixture, "on_missing_key: share counts all who lack the key together, apart from those who have one")
{
    by_key.on_missing_key = missing_key::share;
    auto const& without = classify({{{&by_key}}});
    REQUIRE(without.claims.size() == 1);
    CHECK(without.claims[0].key.view() == "rl:{none}:per-key:fw10s");
    facts.api_key = "none";
    CHECK(classify({{{&by_key}}}).claims[0].key.view() != without.claims[0].key.view());
}

TEST_CASE_FIXTURE(fixture, "on_missing_key counts only where no limit of the term has its key")
{
    by_key.on_missing_key = missing_key::reject;
    auto const& got = classify({{{&by_key, &by_address}}});
    CHECK(names_of(got) == names{"per-address"});
    CHECK(got.missing_key == nullptr);
}

TEST_CASE_FIXTURE(fixture, "an exempt address does not meet the limit, nor another in its place")
{
    by_address.exempt_addresses = only("203.0.113.0/24");
    CHECK(names_of(classify({{{&by_address, &by_all}}, {{&by_key}}})).empty());
    facts.client = base::ip_address::parse("198.51.100.1");
    CHECK(names_of(classify({{{&by_address, &by_all}}})) == names{"per-address"});
}

TEST_CASE_FIXTURE(fixture, "an exempt API key does not meet the limit, whatever the limit counts by")
{
    by_address.exempt_api_keys = partition::digest_table(std::vector{partition::digest_of(partner_key)});
    facts.api_key = partner_key;
    CHECK(names_of(classify({{{&by_address}}, {{&by_all}}})) == names{"all"});
    facts.api_key = "another";
    CHECK(names_of(classify({{{&by_address}}, {{&by_all}}})) == names{"per-address", "all"});
}

TEST_CASE_FIXTURE(fixture, "who is exempt is not rejected for a missing key")
{
    by_key.on_missing_key = missing_key::reject;
    by_key.exempt_addresses = only("203.0.113.9");
    CHECK(classify({{{&by_key}}}).missing_key == nullptr);
}

TEST_CASE_FIXTURE(fixture, "the route's cost takes the place of the limit's")
{
    by_address.cost = 3;
    CHECK(classify({{{&by_address}}}).claims[0].cost == 3);
    CHECK(classify({{{&by_address}}}, 7).claims[0].cost == 7);
    CHECK(classify({{{&by_address}}}, 0).claims[0].cost == 0);
}

TEST_CASE_FIXTURE(fixture, "a trusted field says the cost, but never that a request costs nothing")
{
    by_address.cost = 3;
    by_address.cost_from = cost_field{.name = "x-cost", .most = 8};
    facts.from_trusted_peer = true;
    auto const cost_when_told = [this](std::vector<base::field> const& fields) {
        facts.fields = fields;
        auto const cost = classify({{{&by_address}}}).claims[0].cost;
        facts.fields = {};
        return cost;
    };
    CHECK(cost_when_told({{"X-Cost", "1"}}) == 1);
    CHECK(cost_when_told({{"X-Cost", "5"}}) == 5);
    CHECK(cost_when_told({{"X-Cost", "9"}}) == 8);
    for (auto const* nothing : {"0", "00", "-1", "", "1.5"}) {
        CAPTURE(nothing);
        CHECK(cost_when_told({{"X-Cost", nothing}}) == 3);
        CHECK(cost_when_told({{"X-Cost", nothing}, {"X-Cost", "2"}}) == 2);
    }
    facts.from_trusted_peer = false;
    CHECK(cost_when_told({{"X-Cost", "5"}}) == 3);
}

TEST_CASE_FIXTURE(fixture, "a limit met twice is one claim with both costs")
{
    by_key.on_missing_key = missing_key::share;
    auto const& got = classify({{{&by_address}}, {{&by_key}}, {{&by_address}}, {{&by_key}}}, 2);
    REQUIRE(got.claims.size() == 2);
    CHECK(got.claims[0].cost == 4);
    CHECK(got.claims[1].cost == 4);
}

TEST_CASE_FIXTURE(fixture, "AK-44: the limits before_auth are claimed first, the others behind them")
{
    by_key.on_missing_key = missing_key::reject;
    by_all.queue.limit = 1;
    limits.terms = {{{&by_address}}, {{&by_all}}, {{&by_key}}};
    limits.before_auth = 1;
    auto& got = all.emplace_back();
    limiter::classify(before_auth(limits), facts, keys, 0, got);
    CHECK(names_of(got) == names{"per-address"});
    CHECK(!got.may_wait);
    CHECK(got.missing_key == nullptr);

    classify_further(after_auth(limits), facts, keys, 0, got);
    CHECK(names_of(got) == names{"per-address", "all"});
    CHECK(got.may_wait);
    CHECK(got.missing_key == &by_key);

    facts.api_key = "k";
    limiter::classify(before_auth(limits), facts, keys, 0, got);
    classify_further(after_auth(limits), facts, keys, 0, got);
    CHECK(names_of(got) == names{"per-address", "all", "per-key"});
    CHECK(got.missing_key == nullptr);
    CHECK(names_of(classify(limits.terms)) == names_of(got)); // as if asked at once
}

TEST_CASE_FIXTURE(fixture, "AK-44: what an earlier stage has been charged is not added to")
{
    limits.terms = {{{&by_address}}, {{&by_address}}, {{&by_address}}};
    limits.before_auth = 1;
    auto& got = all.emplace_back();
    limiter::classify(before_auth(limits), facts, keys, 0, got);
    classify_further(after_auth(limits), facts, keys, 0, got);
    REQUIRE(got.claims.size() == 2);
    CHECK(got.claims[0].cost == 1);
    CHECK(got.claims[1].cost == 2);
}

TEST_CASE_FIXTURE(fixture, "AK-40: a failed attempt is charged to its own terms, at the route's cost")
{
    limits.terms = {{{&by_all}}, {{&by_key, &by_address}}};
    limits.failed_attempt = {{{&by_address}}};
    limits.cost = 3;
    auto& got = all.emplace_back();
    limiter::classify(failed_attempt(limits), facts, keys, 0, got);
    CHECK(names_of(got) == names{"per-address"});
    CHECK(got.claims[0].cost == 3);
}

} // namespace penstock::limiter
