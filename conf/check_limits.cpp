#include "conf/check.hpp"

#include "conf/address.hpp"
#include "conf/check_exactness.hpp"
#include "conf/key_language.hpp"
#include "conf/read.hpp"
#include "conf/read_algorithm.hpp"
#include "conf/wide_network.hpp"

#include <algorithm>
#include <set>

namespace penstock::conf {

namespace {

void check_one_algorithm(limit_outline const& limit, problem_list& problems)
{
    member const* first = nullptr;
    for (auto const& m : limit.source->members) {
        if (!is_algorithm(m.key)) continue;
        if (first != nullptr) {
            problems.error(m.key_at, limit.path + '.' + m.key,
                           "stands beside " + first->key + "; a limit has exactly one algorithm");
        } else {
            first = &m;
        }
    }
    if (first == nullptr)
        problems.error(limit.at, limit.path, "has no algorithm; add token_bucket, fixed_window or another one");
}

// Each number is in its bounds, but together they are not.
void check_exactness(limit_outline const& limit, problem_list& problems)
{
    auto const* algorithm = find_algorithm(*limit.source);
    if (algorithm == nullptr) return;
    auto problem = problem_with_exactness(*algorithm, nullptr);
    if (!problem) return;
    problems.error(algorithm->value.find(problem->key)->at, limit.path + '.' + algorithm->key + '.' + problem->key,
                   std::move(problem->what));
}

// A fixed window has a length or a calendar, and what goes with it.
void check_window(limit_outline const& limit, problem_list& problems)
{
    auto const* window = limit.source->find("fixed_window");
    if (window == nullptr || !window->is_map()) return;
    auto const path = limit.path + ".fixed_window.";
    auto const* calendar = window->find_member("calendar");
    auto const refuse = [&](std::string const& key, std::string what) {
        if (auto const* found = window->find_member(key)) problems.error(found->key_at, path + key, std::move(what));
    };
    if (calendar != nullptr) {
        refuse("window", "stands beside calendar; keep one of them");
        refuse("align", "does not go with calendar, whose windows are the clock's; remove it");
    } else {
        refuse("time_zone", "has no effect without calendar; remove it");
        if (window->find("window") == nullptr)
            problems.error(window->at, path + "window", "is missing; add `window:` or `calendar:` here");
    }
}

void check_cost(checked const& all, limit_outline const& limit, problem_list& problems)
{
    auto const* cost = limit.source->find("cost");
    if (cost == nullptr) return;
    check_cost_field(all, *cost, limit.path, problems);
    if (!limit.has_algorithm) return;
    if (cost->is_map() && std::holds_alternative<limiter::concurrency>(limit.policy.quota.algorithm)) {
        problems.error(cost->at, limit.path + ".cost",
                       "cannot be told by a header: what a request holds is fixed; write a number");
        return;
    }
    auto const burst = limit.most_at_once();
    auto const* most = cost->is_map() ? cost->find("max") : cost;
    if ((limit.policy.cost_from ? limit.policy.cost_from->most : limit.policy.cost) <= burst) return;
    if (limit.shards > 1 && !limit.policy.cost_from) return; // check_options says it of the shards
    problems.error(most->at, limit.path + (cost->is_map() ? ".cost.max" : ".cost"),
                   "is above the " + std::to_string(burst) +
                       " that this limit admits at once, so no request could pass; lower it");
}

void check_scope(checked const& all, limit_outline const& limit, problem_list& problems)
{
    auto const* scope = limit.source->find("scope");
    if (all.read.redis || text_of(scope) != "fleet") return;
    problems.error(scope->at, limit.path + ".scope", "fleet needs Redis; add a redis section or write instance");
}

void check_key(checked const& all, limit_outline const& limit, problem_list& problems)
{
    bool const reads_api_keys = all.root.find("auth.api_keys") != nullptr;
    constexpr std::string_view remedy = "no API key is ever read; add auth.api_keys.from, such as [header X-API-Key]";
    auto const* written = limit.source->find("key");
    std::set<std::string> seen;
    auto const entries = elements(written);
    for (std::size_t i = 0; i < entries.size(); ++i) {
        auto const* one = entries[i];
        if (!one->is_scalar()) continue;
        auto const path = limit.path + (written->is_list() ? ".key[" + std::to_string(i) + ']' : ".key");
        if (!seen.insert(one->text).second)
            problems.error(one->at, path, "'" + one->written + "' stands here twice; remove one");
        if (!parse_claim(one->text).empty() && all.root.find("auth.jwt") == nullptr)
            problems.error(one->at, path, "no token is ever verified; add auth.jwt.issuers");
        bool const is_attribute = !parse_attribute(one->text).empty();
        if ((one->text == "api_key" || is_attribute) && !reads_api_keys)
            problems.error(one->at, path, std::string{remedy});
        else if (is_attribute && !all.read.api_keys.known)
            problems.error(one->at, path, "no API key is known, so none has an attribute; add auth.api_keys.known");
    }
    auto const* exempt = limit.source->find("exempt.api_keys_sha256");
    if (exempt != nullptr && !reads_api_keys) {
        problems.error(exempt->at, limit.path + ".exempt.api_keys_sha256", std::string{remedy});
    }
}

// Whoever has an IPv6 address has at least 2^64 of them.
void check_ipv6_networks(limit_outline const& limit, problem_list& problems)
{
    auto const& key = limit.policy.key;
    auto const is_narrow = [](partition::entry const& entry) {
        return entry.source == partition::entry_source::client_network && entry.ipv6_prefix > 64;
    };
    if (!limit.has_key || std::none_of(key.begin(), key.end(), is_narrow)) return;
    problems.warning(limit.source->find("key")->at, limit.path + ".key",
                     "a caller with an IPv6 /64 of its own, the least there is, gets a new counter with each address; write "
                     "client.network with 64 or less for IPv6");
}

void check_exempt_networks(limit_outline const& limit, problem_list& problems)
{
    auto const* written = limit.source->find("exempt.addresses");
    auto const exempt = elements(written);
    for (std::size_t i = 0; i < exempt.size(); ++i) {
        auto const network = parsed(exempt[i], parse_network);
        if (!network || !is_wide(*network)) continue;
        problems.warning(exempt[i]->at,
                         limit.path + ".exempt.addresses" + (written->is_list() ? '[' + std::to_string(i) + ']' : ""),
                         "exempts everybody, or a large part of the internet; list the networks that are meant, or remove the "
                         "limit");
    }
}

} // namespace

void check_cost_field(checked const& all, node const& cost, std::string const& path, problem_list& problems)
{
    auto const* header = cost.find("header");
    if (header == nullptr || !all.read.client.trusted_proxies.empty()) return;
    problems.error(header->at, path + ".cost.header",
                   "is believed only from a trusted proxy, and nobody is trusted; list the proxies in client.trusted_proxies");
}

void check_limits(checked const& all, problem_list& problems)
{
    for (auto const& limit : all.parts.limits) {
        if (!limit.source->is_map()) continue;
        check_one_algorithm(limit, problems);
        check_window(limit, problems);
        check_exactness(limit, problems);
        check_cost(all, limit, problems);
        check_scope(all, limit, problems);
        check_key(all, limit, problems);
        check_ipv6_networks(limit, problems);
        check_exempt_networks(limit, problems);
    }
}

} // namespace penstock::conf
