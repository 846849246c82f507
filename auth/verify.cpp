#include "auth/verify.hpp"

#include "auth/base64url.hpp"
#include "auth/claim_text.hpp"
#include "auth/compact_token.hpp"
#include "auth/strict_json.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace penstock::auth {
namespace {

using nlohmann::json;

constexpr int most_depth = 8; // AK-36

std::optional<json> object_in(std::string_view segment)
{
    auto const text = decode_base64url(segment);
    if (!text) return std::nullopt;
    auto parsed = parse_strict(*text, most_depth);
    return parsed && parsed->is_object() ? std::move(parsed) : std::nullopt;
}

// Microseconds since the epoch; saturating. Nothing if it is no number.
std::optional<std::int64_t> numeric_date(json const& value)
{
    constexpr double us_per_s = 1e6;
    constexpr auto most = static_cast<double>(std::numeric_limits<std::int64_t>::max() / 2); // room for a leeway
    if (!value.is_number()) return std::nullopt;
    auto const us = value.get<double>() * us_per_s;
    if (std::isnan(us)) return std::nullopt;
    return static_cast<std::int64_t>(std::clamp(us, -most, most));
}

// `application/at+jwt` and `AT+JWT` are one type (RFC 7515 section 4.1.9).
std::string normal_type(std::string_view type)
{
    std::string lower(type);
    std::ranges::transform(lower, lower.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
    constexpr std::string_view prefix = "application/";
    return lower.starts_with(prefix) ? lower.substr(prefix.size()) : lower;
}

struct token_header {
    algorithm use = algorithm::rs256;
    std::string type;
    bool has_key_id = false;
    std::string key_id;
};

refusal read_header(std::string_view segment, token_header& into)
{
    auto const header = object_in(segment);
    if (!header) return refusal::format;
    auto const* name = find_text(*header, "alg");
    auto const use = name ? parse_algorithm(*name) : std::nullopt;
    if (!use) return refusal::algorithm;
    into.use = *use;
    if (header->contains("crit") || header->contains("b64")) return refusal::critical; // AK-28: we understand no extension
    if (auto const type = header->find("typ"); type != header->end()) {
        if (!type->is_string()) return refusal::format;
        into.type = normal_type(type->get_ref<std::string const&>());
    }
    if (auto const id = header->find("kid"); id != header->end()) {
        if (!id->is_string()) return refusal::format;
        into.has_key_id = true;
        into.key_id = id->get<std::string>();
    }
    return refusal::none;
}

bool holds_one_of(json const& audience, std::vector<std::string> const& ours)
{
    return std::ranges::any_of(ours, [&](std::string const& each) {
        return audience.is_array() ? std::ranges::find(audience, json(each)) != audience.end() : audience == each;
    });
}

// A string or a list of strings (AK-32).
bool is_audience(json const& value)
{
    return value.is_string() ||
           (value.is_array() && std::ranges::all_of(value, [](json const& each) { return each.is_string(); }));
}

refusal check_audience(json const& payload, issuer const& from)
{
    auto const audience = payload.find("aud");
    if (audience == payload.end()) return from.audiences.empty() ? refusal::none : refusal::audience;
    if (!is_audience(*audience)) return refusal::claims;
    return from.audiences.empty() || holds_one_of(*audience, from.audiences) ? refusal::none : refusal::audience;
}

bool is_word_of(std::string_view list, std::string_view word)
{
    while (!list.empty()) {
        auto const end = list.find(' ');
        if (list.substr(0, end) == word) return true;
        list.remove_prefix(end == std::string_view::npos ? list.size() : end + 1);
    }
    return false;
}

// `scope` is a list in one string (RFC 8693 section 4.2); some issuers write `scp`, as such a string or as a list.
bool grants(json const& payload, std::string const& scope)
{
    for (auto const* name : {"scope", "scp"}) {
        auto const granted = payload.find(name);
        if (granted == payload.end()) continue;
        if (granted->is_string()) return is_word_of(granted->get_ref<std::string const&>(), scope);
        return granted->is_array() && std::ranges::find(*granted, json(scope)) != granted->end();
    }
    return false;
}

// `until` becomes the moment at which the token ends.
refusal check_times(json const& payload, base::micros leeway, std::int64_t now_us, std::int64_t& until)
{
    auto const expires = payload.find("exp");
    auto const at = expires == payload.end() ? std::nullopt : numeric_date(*expires);
    if (!at) return refusal::claims;
    until = *at + leeway.count();
    if (now_us >= until) return refusal::expired;
    for (auto const* name : {"nbf", "iat"}) {
        auto const found = payload.find(name);
        if (found == payload.end()) continue;
        auto const begins = numeric_date(*found);
        if (!begins) return refusal::claims;
        if (*begins - leeway.count() > now_us) return refusal::too_early;
    }
    return refusal::none;
}

} // namespace

verification verify(token_settings const& settings, std::span<key_set_ptr const> keys, std::string_view token,
                    std::int64_t now_us)
{
    auto const refused = [](refusal why, std::optional<std::size_t> by = std::nullopt) {
        return verification{.why = why, .issuer = by, .token = nullptr};
    };
    if (token.size() > longest_token) return refused(refusal::too_long);
    auto const parts = split_token(token);
    if (!parts) return refused(refusal::format);
    token_header header;
    if (auto const why = read_header(parts->header, header); why != refusal::none) return refused(why);
    auto const payload = object_in(parts->payload);
    auto const signature = decode_base64url(parts->signature);
    if (!payload || !signature) return refused(refusal::format);

    auto const* name = find_text(*payload, "iss");
    if (!name) return refused(payload->contains("iss") ? refusal::claims : refusal::issuer);
    auto const from = std::ranges::find(settings.issuers, *name, &issuer::name);
    if (from == settings.issuers.end()) return refused(refusal::issuer);
    auto const index = static_cast<std::size_t>(from - settings.issuers.begin());
    if (std::ranges::find(from->algorithms, header.use) == from->algorithms.end()) return refused(refusal::algorithm, index);
    if (!from->type.empty() && header.type != from->type) return refused(refusal::type, index);

    auto made = std::make_shared<verified_token>();
    if (auto const why = check_times(*payload, from->leeway, now_us, made->expires_us); why != refusal::none)
        return refused(why, index);
    if (auto const why = check_audience(*payload, *from); why != refusal::none) return refused(why, index);
    if (!keys[index]) return refused(refusal::no_keys, index);
    if (header.key_id.size() > longest_key_id) return refused(refusal::key, index);
    auto const* key = keys[index]->find(header.has_key_id ? &header.key_id : nullptr, header.use);
    if (!key) return refused(refusal::key, index);
    if (!verify_signature(*key, parts->signed_text, *signature)) return refused(refusal::signature, index);
    auto const& needed = from->scopes;
    if (!std::ranges::all_of(needed, [&](auto const& each) { return grants(*payload, each); }))
        return refused(refusal::scope, index);

    made->issuer = index;
    made->issuer_name = from->name;
    gather_claims(*payload, settings.claims, *made);
    return {.why = refusal::none, .issuer = index, .token = std::move(made)};
}

} // namespace penstock::auth
