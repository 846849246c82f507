#include "conf/known_keys.hpp"

#include "limiter/algorithm.hpp"

#include <algorithm>

namespace penstock::conf {

namespace {

using enum value_form;
constexpr auto required = presence::required;

constexpr std::int64_t ms = 1'000;
constexpr std::int64_t second = 1'000 * ms;
constexpr std::int64_t minute = 60 * second;
constexpr std::int64_t hour = 60 * minute;
constexpr std::int64_t day = 24 * hour;
constexpr std::int64_t kib = 1024;
constexpr std::int64_t gib = kib * kib * kib;
constexpr std::int64_t permits = 1'000'000'000; // of one limit

constexpr known_key table[] = {
    {"workers", integer, 1, 1024, "auto"},

    {"listeners", list, 1, 64, {}, required},
    {"listeners[]", section},
    {"listeners[].address", listen_address, 0, 0, {}, required},
    {"listeners[].proxy_protocol", word, 0, 0, "off|v1|v2|any"},
    {"listeners[].proxy_protocol_from", list_or_one, 1, 10'000},
    {"listeners[].proxy_protocol_from[]", network},

    {"admin", section},
    {"admin.address", listen_address, 0, 0, {}, required},
    {"admin.token", secret},
    {"admin.token_file", file},

    {"redis", section},
    {"redis.url", redis_url, 0, 0, {}, required},
    {"redis.check_timeout", duration, 1 * ms, 10 * second},
    {"redis.connect_timeout", duration, 1 * ms, 60 * second},
    {"redis.max_pending", integer, 1, 1'000'000},
    {"redis.gateways_at_least", integer, 1, 10'000},
    {"redis.key_prefix", key_prefix},
    {"redis.password_file", file},
    {"redis.tls", section},
    {"redis.tls.ca_file", file},
    {"redis.tls.certificate_file", file},
    {"redis.tls.private_key_file", file},
    {"redis.tls.server_name", host},
    {"redis.sentinel", section},
    {"redis.sentinel.user", attribute_value},
    {"redis.sentinel.password", secret},
    {"redis.sentinel.password_file", file},
    {"redis.hash_secret", secret},
    {"redis.hash_secret_file", file},
    {"redis.breaker", section},
    {"redis.breaker.failures", integer, 1, 1'000},
    {"redis.breaker.open_for", duration, 10 * ms, 1 * hour},
    {"redis.breaker.open_for_max", duration, 10 * ms, 1 * day},

    {"client", section},
    {"client.source", client_source, 0, 0, "peer|x-forwarded-for|forwarded|x-real-ip"},
    {"client.trusted_proxies", list, 0, 10'000},
    {"client.trusted_proxies[]", network},
    {"client.trusted_hops", integer, 1, 100},
    {"client.ipv6_prefix", integer, 32, 128},
    {"client.nat64", word, 0, 0, "ipv6|ipv4"},
    {"client.forwarded_by", word, 0, 0, "off|obfuscated"},

    {"auth", section},
    {"auth.api_keys", section},
    {"auth.api_keys.from", list_or_one, 1, 16, {}, required},
    {"auth.api_keys.from[]", credential_source},
    {"auth.api_keys.on_unknown", word, 0, 0, "reject|anonymous"},
    {"auth.api_keys.strip_query", boolean},
    {"auth.api_keys.known", list, 1, 10'000},
    {"auth.api_keys.known[]", section},
    {"auth.api_keys.known[].name", name, 0, 0, {}, required},
    {"auth.api_keys.known[].sha256", digest, 0, 0, {}, required},
    {"auth.api_keys.known[].attributes", names, 1, 32},
    {"auth.api_keys.known[].attributes.*", attribute_value},
    {"auth.jwt", section},
    {"auth.jwt.issuers", list, 1, 32, {}, required},
    {"auth.jwt.issuers[]", section},
    {"auth.jwt.issuers[].issuer", visible_text, 1, 256, {}, required},
    {"auth.jwt.issuers[].audience", list_or_one, 1, 16},
    {"auth.jwt.issuers[].audience[]", visible_text, 1, 256},
    {"auth.jwt.issuers[].algorithms", list_or_one, 1, 7, {}, required},
    {"auth.jwt.issuers[].algorithms[]", word, 0, 0, "RS256|PS256|ES256|ES384|EdDSA|Ed25519|HS256"},
    {"auth.jwt.issuers[].jwks_file", file},
    {"auth.jwt.issuers[].jwks_url", web_url},
    {"auth.jwt.issuers[].jwks_ca_file", file},
    {"auth.jwt.issuers[].jwks_refresh", duration, 10 * second, 1 * day},
    {"auth.jwt.issuers[].jwks_cooldown", duration, 1 * second, 1 * hour},
    {"auth.jwt.issuers[].jwks_timeout", duration, 100 * ms, 60 * second},
    {"auth.jwt.issuers[].jwks_stale", duration, 1 * minute, 366 * day, "off"},
    {"auth.jwt.issuers[].secret_file", file},
    {"auth.jwt.issuers[].leeway", duration, 0, 300 * second},
    {"auth.jwt.issuers[].type", visible_text, 1, 64},
    {"auth.jwt.issuers[].scopes", list_or_one, 1, 16},
    {"auth.jwt.issuers[].scopes[]", visible_text, 1, 128},
    {"auth.jwt.on_invalid", word, 0, 0, "reject|anonymous"},
    {"auth.jwt.realm", visible_text, 1, 64},
    {"auth.jwt.resource_metadata", web_url},
    {"auth.jwt.cached_tokens", integer, 0, 1'000'000},

    {"deny", section},
    {"deny.addresses", list_or_one, 1, 10'000},
    {"deny.addresses[]", network},
    {"deny.except", list_or_one, 1, 10'000},
    {"deny.except[]", network},
    {"deny.api_keys_sha256", list_or_one, 1, 10'000},
    {"deny.api_keys_sha256[]", digest},
    {"deny.action", word, 0, 0, "reject|close"},

    {"upstreams", names, 1, 1'000, {}, required},
    {"upstreams.*", section},
    {"upstreams.*.servers", list, 1, 1'000, {}, required},
    {"upstreams.*.servers[]", endpoint},
    {"upstreams.*.servers[].address", endpoint, 0, 0, {}, required},
    {"upstreams.*.servers[].weight", integer, 1, 1'000},
    {"upstreams.*.balance", word, 0, 0, "round_robin|least_requests"},
    {"upstreams.*.timeouts", section},
    {"upstreams.*.timeouts.connect", duration, 1 * ms, 1 * hour},
    {"upstreams.*.timeouts.response", duration, 1 * ms, 1 * day},
    {"upstreams.*.timeouts.idle", duration, 1 * ms, 1 * day},
    {"upstreams.*.retries", integer, 0, 10},

    {"limits", names, 0, 1'000},
    {"limits.*", section},
    {"limits.*.key", list_or_one, 1, 8, {}, required},
    {"limits.*.key[]", key_entry},
    {"limits.*.token_bucket", section},
    {"limits.*.token_bucket.capacity", integer, 1, permits, {}, required},
    {"limits.*.token_bucket.refill", rate, 0, 0, {}, required},
    {"limits.*.token_bucket.replenish", word, 0, 0, "continuous|periodic"},
    {"limits.*.fixed_window", section},
    {"limits.*.fixed_window.limit", integer, 1, limiter::largest_window_limit, {}, required},
    {"limits.*.fixed_window.window", duration, limiter::shortest_window_us, 366 * day},
    {"limits.*.fixed_window.calendar", word, 0, 0, "day|week|month"},
    {"limits.*.fixed_window.time_zone", time_zone},
    {"limits.*.fixed_window.align", word, 0, 0, "first_request|clock"},
    {"limits.*.sliding_window", section},
    {"limits.*.sliding_window.limit", integer, 1, limiter::largest_window_limit, {}, required},
    {"limits.*.sliding_window.window", duration, limiter::shortest_window_us, 366 * day, {}, required},
    {"limits.*.sliding_window.segments", integer, 2, 60, {}, required},
    {"limits.*.sliding_window_counter", section},
    {"limits.*.sliding_window_counter.limit", integer, 1, limiter::largest_window_limit, {}, required},
    {"limits.*.sliding_window_counter.window", duration, limiter::shortest_window_us, 366 * day, {}, required},
    {"limits.*.sliding_log", section},
    {"limits.*.sliding_log.limit", integer, 1, limiter::longest_log, {}, required},
    {"limits.*.sliding_log.window", duration, limiter::shortest_window_us, 366 * day, {}, required},
    {"limits.*.concurrency", section},
    {"limits.*.concurrency.limit", integer, 1, permits, {}, required},
    {"limits.*.overrides", callers, 1, 10'000},
    {"limits.*.overrides.*", section},
    {"limits.*.overrides.*.capacity", integer, 1, permits},
    {"limits.*.overrides.*.refill", rate},
    {"limits.*.overrides.*.limit", integer, 1, limiter::largest_window_limit},
    {"limits.*.overrides.*.window", duration, limiter::shortest_window_us, 366 * day},
    {"limits.*.overrides.*.segments", integer, 2, 60},
    {"limits.*.from_attribute", section},
    {"limits.*.from_attribute.attribute", attribute, 0, 0, {}, required},
    {"limits.*.from_attribute.max", integer, 1, limiter::largest_window_limit},
    {"limits.*.from_attribute.tiers", names, 1, 100},
    {"limits.*.from_attribute.tiers.*", section},
    {"limits.*.from_attribute.tiers.*.capacity", integer, 1, permits},
    {"limits.*.from_attribute.tiers.*.refill", rate},
    {"limits.*.from_attribute.tiers.*.limit", integer, 1, limiter::largest_window_limit},
    {"limits.*.from_attribute.tiers.*.window", duration, limiter::shortest_window_us, 366 * day},
    {"limits.*.from_attribute.tiers.*.segments", integer, 2, 60},
    {"limits.*.cost", integer, 1, permits},
    {"limits.*.cost.header", field_name, 0, 0, {}, required},
    {"limits.*.cost.max", integer, 1, permits, {}, required},
    {"limits.*.scope", word, 0, 0, "fleet|instance"},
    {"limits.*.precision", word, 0, 0, "exact|leased"},
    {"limits.*.shards", integer, 2, 64},
    {"limits.*.queue", section},
    {"limits.*.queue.limit", integer, 1, 100'000, {}, required},
    {"limits.*.queue.order", word, 0, 0, "oldest_first|newest_first"},
    {"limits.*.queue.timeout", duration, 1 * ms, 1 * hour, {}, required},
    {"limits.*.enforce", boolean, 0, 0, "shadow"},
    {"limits.*.on_store_failure", word, 0, 0, "local|allow|deny"},
    {"limits.*.on_missing_key", word, 0, 0, "skip|reject|share"},
    {"limits.*.exempt", section},
    {"limits.*.exempt.addresses", list_or_one, 1, 10'000},
    {"limits.*.exempt.addresses[]", network},
    {"limits.*.exempt.api_keys_sha256", list_or_one, 1, 10'000},
    {"limits.*.exempt.api_keys_sha256[]", digest},
    {"limits.*.advertise", boolean},

    {"global_limits", list, 0, 16},
    {"global_limits[]", name},
    {"global_limits[].first_of", list, 1, 16, {}, required},
    {"global_limits[].first_of[]", name},

    {"routes", list, 1, 2'000, {}, required},
    {"routes[]", section},
    {"routes[].name", name},
    {"routes[].match", section},
    {"routes[].match.path", path_pattern},
    {"routes[].match.host", host_pattern},
    {"routes[].match.methods", list_or_one, 1, 32},
    {"routes[].match.methods[]", method},
    {"routes[].upstream", name, 0, 0, {}, required},
    {"routes[].before_auth", list, 0, 16},
    {"routes[].before_auth[]", name},
    {"routes[].before_auth[].first_of", list, 1, 16, {}, required},
    {"routes[].before_auth[].first_of[]", name},
    {"routes[].limits", list, 0, 16, "none"},
    {"routes[].limits[]", name},
    {"routes[].limits[].first_of", list, 1, 16, {}, required},
    {"routes[].limits[].first_of[]", name},
    {"routes[].cost", integer, 1, permits},
    {"routes[].cost.header", field_name, 0, 0, {}, required},
    {"routes[].cost.max", integer, 1, permits, {}, required},
    {"routes[].deny", section},
    {"routes[].deny.addresses", list_or_one, 1, 10'000},
    {"routes[].deny.addresses[]", network},
    {"routes[].deny.except", list_or_one, 1, 10'000},
    {"routes[].deny.except[]", network},
    {"routes[].deny.api_keys_sha256", list_or_one, 1, 10'000},
    {"routes[].deny.api_keys_sha256[]", digest},
    {"routes[].deny.action", word, 0, 0, "reject|close"},
    {"routes[].forward_path", word, 0, 0, "normalised|raw"},

    {"responses", section},
    {"responses.rate_limit_fields", list_or_one, 1, 3, "off"},
    {"responses.rate_limit_fields[]", word, 0, 0, "draft|triple|x-ratelimit"},
    {"responses.on_success", boolean},
    {"responses.members", word, 0, 0, "tightest|all"},
    {"responses.reset", word, 0, 0, "epoch|delta"},
    {"responses.retry_jitter", percentage, 0, 100},
    {"responses.rejection", section},
    {"responses.rejection.status", integer, 400, 599},
    {"responses.rejection.body", file, 0, 0, "problem|text"},
    {"responses.rejection.media_type", media_type},

    {"timeouts", section},
    {"timeouts.keep_alive", duration, 1 * ms, 1 * day},
    {"timeouts.header", duration, 1 * ms, 1 * hour},
    {"timeouts.proxy_header", duration, 3 * second, 1 * hour},
    {"timeouts.body", duration, 1 * ms, 1 * day},
    {"timeouts.drain", duration, 0, 1 * day},
    {"timeouts.pre_drain", duration, 0, 1 * hour},

    {"message_limits", section},
    {"message_limits.request_line", size, 64, 64 * kib},
    {"message_limits.header_field", size, 64, 256 * kib},
    {"message_limits.headers", size, 256, 1024 * kib},
    {"message_limits.header_count", integer, 1, 10'000},
    {"message_limits.body", size, 1, kib* kib* gib, "off"},

    {"access_log", boolean},
    {"memory", section},
    {"memory.max_keys", integer, 1'000, 100'000'000},
    {"memory.max_waiters", integer, 1, 1'000'000},
    {"via", name},
};

// What stands behind `parent` and one further step, or nothing.
std::string_view step_below(std::string_view path, std::string_view parent)
{
    if (!parent.empty()) {
        if (!path.starts_with(parent) || path.size() <= parent.size() || path[parent.size()] != '.') return {};
        path.remove_prefix(parent.size() + 1);
    }
    return path.find_first_of(".[") == std::string_view::npos ? path : std::string_view{};
}

} // namespace

std::span<known_key const> known_keys() noexcept { return table; }

known_key const* find_known(std::string_view path) noexcept
{
    auto const* const found =
        std::find_if(std::begin(table), std::end(table), [&](known_key const& k) { return k.path == path; });
    return found == std::end(table) ? nullptr : found;
}

std::vector<std::string_view> keys_below(std::string_view path)
{
    std::vector<std::string_view> keys;
    for (auto const& known : table) {
        if (auto const step = step_below(known.path, path); !step.empty() && step != "*") keys.push_back(step);
    }
    return keys;
}

bool has_members(std::string_view path) noexcept
{
    return std::any_of(std::begin(table), std::end(table),
                       [&](known_key const& k) { return !step_below(k.path, path).empty(); });
}

} // namespace penstock::conf
