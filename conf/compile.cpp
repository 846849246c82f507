#include "conf/compile.hpp"

#include "conf/caller_identity.hpp"
#include "conf/failed_attempts.hpp"
#include "conf/hash_secret.hpp"
#include "conf/read.hpp"
#include "conf/read_settings.hpp"
#include "conf/words.hpp"

#include <algorithm>
#include <deque>
#include <set>

namespace penstock::conf {

namespace {

// No key is ever cut: prefix, braces, identity (longer ones become a hash), shard, and the suffix with the longest of all tags.
constexpr std::size_t longest_identity = 64;
static_assert(longest_key_prefix + 2 + 3 + longest_identity + 1 + longest_name + 1 + limiter::longest_tag <=
              partition::partition_key::capacity);

// What an open breaker asks Redis about. No counter's key meets it: each ends with a limit's suffix.
constexpr std::string_view probe_name = "{penstock-probe}";

limiter::key_settings keys_of(node const& root, attachments const& files)
{
    limiter::key_settings keys;
    if (auto const* prefix = root.find("redis.key_prefix")) keys.prefix = text_of(prefix);
    auto const written = files.hash_secret.empty() ? text_of(root.find("redis.hash_secret")) : files.hash_secret;
    auto const unnamed = [&] { return root.find("redis") == nullptr ? process_hash_secret() : public_hash_secret(); };
    keys.secret = written.empty() ? unnamed() : hash_secret_from(written);
    return keys;
}

limiter::quota quota_of(std::string const& limit, limiter::algorithm const& numbers)
{
    return {numbers, key_suffix_of(limit, numbers), {}};
}

void add_policies(outline& parts, snapshot& into)
{
    for (auto& limit : parts.limits) {
        auto policy = std::move(limit.policy);
        policy.id = limiter::policy_id{static_cast<std::uint32_t>(into.policies.size())};
        policy.quota = quota_of(policy.name, policy.quota.algorithm);
        policy.scope = scope_of(*limit.source, into.settings);
        for (unsigned i = 0; i < limit.shards; ++i)
            policy.quota.shards.push_back(*limiter::shard_of(policy.quota.algorithm, i, limit.shards));
        for (auto const& one : limit.overrides)
            policy.overrides.emplace(identity_of(policy.key, one.name, into.keys.secret),
                                     quota_of(policy.name, *one.algorithm));
        for (auto const& tier : limit.tiers)
            policy.from_attribute->tiers.emplace_back(tier.name, quota_of(policy.name, *tier.algorithm));
        into.policies.push_back(std::move(policy));
    }
}

// Buckets of which Redis may keep several in one key: none of the numbers that a caller can be held to is of another algorithm,
// and nothing else is kept with them.
bool can_be_packed(limiter::policy const& limit)
{
    auto const is_bucket = [](limiter::quota const& of) { return std::holds_alternative<limiter::token_bucket>(of.algorithm); };
    auto const is_bucket_too = [&](auto const& named) { return is_bucket(named.second); };
    if (limit.scope != limiter::scope::fleet || limit.precision != limiter::precision::exact) return false;
    if (!is_bucket(limit.quota) || !limit.quota.shards.empty()) return false;
    if (!std::all_of(limit.overrides.begin(), limit.overrides.end(), is_bucket_too)) return false;
    auto const& attribute = limit.from_attribute;
    return !attribute || std::all_of(attribute->tiers.begin(), attribute->tiers.end(), is_bucket_too);
}

// The same on every gateway, whatever other limits there are (FNV-1a); never 0.
std::uint32_t packed_id_of(std::string_view name)
{
    std::uint32_t id = 2166136261;
    for (auto const c : name) id = (id ^ static_cast<unsigned char>(c)) * 16777619;
    return id == 0 ? 1 : id;
}

// Limits of the same callers share a key where there are two or more of them. Of two names with one id the later stays alone.
void pack_policies(std::deque<limiter::policy>& policies)
{
    for (auto& one : policies) {
        if (!can_be_packed(one)) continue;
        auto const id = packed_id_of(one.name);
        auto const shares = [&](limiter::policy const& other) {
            return &other != &one && other.key == one.key && can_be_packed(other);
        };
        auto const takes_id = [&](limiter::policy const& other) { return shares(other) && other.packed_id == id; };
        if (std::any_of(policies.begin(), policies.end(), shares) && std::none_of(policies.begin(), policies.end(), takes_id))
            one.packed_id = id;
    }
}

// The paths that keys and tiers read, sorted, each once.
std::vector<std::string> claims_asked_for(outline const& parts)
{
    std::set<std::string> paths;
    for (auto const& limit : parts.limits) {
        for (auto const& entry : limit.policy.key) {
            if (entry.source == partition::entry_source::jwt_claim) paths.insert(entry.name);
        }
        auto const& rule = limit.policy.from_attribute;
        if (rule && rule->origin == limiter::attribute_origin::token) paths.insert(rule->attribute);
    }
    return {paths.begin(), paths.end()};
}

limiter::plan plan_of(std::vector<term_outline> const& terms, snapshot const& from)
{
    limiter::plan plan;
    for (auto const& term : terms) {
        limiter::term made;
        for (auto const& reference : term) {
            auto const policy = std::find_if(from.policies.begin(), from.policies.end(),
                                             [&](limiter::policy const& p) { return p.name == reference.name; });
            made.first_of.push_back(&*policy);
        }
        plan.terms.push_back(std::move(made));
    }
    return plan;
}

void add_routes(outline& parts, snapshot& into)
{
    std::vector<proxy::route> routes;
    for (auto& one : parts.routes) {
        auto& plan = into.plans.emplace_back(plan_of(parts.terms_of(one), into));
        plan.before_auth = one.is_unlimited ? 0 : one.before_auth.size();
        if (into.settings.tokens && plan.before_auth == 0) ask_attempts_first(plan, one.route);
        plan.failed_attempt = failed_attempts_of(plan, one.route);
        plan.cost = one.cost;
        plan.cost_from = one.cost_from;
        auto const upstream = std::find_if(into.upstreams.begin(), into.upstreams.end(),
                                           [&](proxy::upstream_spec const& u) { return u.name == one.upstream; });
        one.route.id = proxy::route_id{static_cast<std::uint32_t>(routes.size())};
        one.route.upstream = upstream->id;
        routes.push_back(std::move(one.route));
        into.route_denials.push_back(std::move(one.deny));
    }
    into.routes = proxy::route_table{std::move(routes)};
}

} // namespace

snapshot_ptr compile(node const& root, outline parts, settings read, attachments const& files)
{
    auto made = std::make_shared<snapshot>();
    made->settings = std::move(read);
    if (auto& tokens = made->settings.tokens) tokens->claims = claims_asked_for(parts);
    made->keys = keys_of(root, files);
    if (auto& redis = made->settings.redis) redis->probe_key = made->keys.prefix + std::string{probe_name};
    made->upstreams = read_upstreams(root);
    made->calendars = std::move(parts.calendars);
    add_policies(parts, *made);
    pack_policies(made->policies);
    add_routes(parts, *made);
    return made;
}

std::string key_suffix_of(std::string const& limit, limiter::algorithm const& numbers)
{
    return ':' + limit + ':' + limiter::tag_of(numbers);
}

} // namespace penstock::conf
