#include "gateway/token_check.hpp"

#include "auth/compact_token.hpp"
#include "auth/verify.hpp"
#include "base/field_name.hpp"
#include "gateway/bearer.hpp"

#include <algorithm>

namespace penstock::gateway {
namespace {

constexpr std::int64_t ask_again_us = 1'000'000; // for keys, of one issuer: the owner of the keys has a cooldown of its own

} // namespace

void token_check::describe_in(base::request_facts& facts) const noexcept
{
    facts.token_issuer = accepted ? std::string_view(accepted->issuer_name) : std::string_view{};
    facts.token_claims = {};
    if (accepted) facts.token_claims = accepted->claims;
}

token_checker::token_checker(auth::token_settings const& settings, token_counts& counts, base::hash_key secret,
                             unknown_key_call unknown_key)
    : settings_(settings),
      counts_(counts),
      unknown_key_(std::move(unknown_key)),
      versions_(settings.issuers.size()),
      asked_us_(settings.issuers.size()),
      cache_(settings.cached_tokens, secret)
{
    for (auto const& each : settings.issuers) keys_.push_back(each.keys);
}

token_check token_checker::look(base::request_facts const& facts, std::int64_t now_us)
{
    token_check seen;
    auto const presented = find_bearer(facts);
    if (presented.how == bearer::presence::absent) return seen;
    if (presented.how == bearer::presence::malformed) {
        refuse(seen, auth::refusal::request);
        return seen;
    }
    seen.token = presented.token;
    auto const fits = seen.token.size() <= auth::longest_token;
    if (fits) {
        seen.key = cache_.key_of(seen.token);
        seen.accepted = cache_.find(seen.key, now_us, versions_);
    }
    if (seen.accepted) { // its bytes were looked at when it was verified
        ++counts_.back();
        seen.result = token_check::outcome::valid;
    } else if (!is_token68(seen.token)) {
        refuse(seen, auth::refusal::request);
    } else if (!fits) {
        refuse(seen, auth::refusal::too_long);
    } else if (!auth::split_token(seen.token)) {
        refuse(seen, auth::refusal::format);
    } else {
        seen.result = token_check::outcome::unverified;
    }
    return seen;
}

void token_checker::verify(token_check& seen, std::int64_t now_us)
{
    auto made = auth::verify(settings_, keys_, seen.token, now_us);
    if (made.why != auth::refusal::none) {
        refuse(seen, made.why);
        if (made.why == auth::refusal::scope) seen.scopes = &settings_.issuers[*made.issuer].scopes;
        if (made.why == auth::refusal::key || made.why == auth::refusal::no_keys) ask_for_keys(*made.issuer, now_us);
        return;
    }
    made.token->key_set_version = versions_[*made.issuer];
    seen.accepted = std::move(made.token);
    seen.result = token_check::outcome::valid;
    ++counts_[static_cast<std::size_t>(auth::refusal::none)];
    cache_.insert(seen.key, seen.accepted);
}

void token_checker::install(std::string const& issuer, auth::key_set_ptr keys)
{
    auto const found = std::ranges::find(settings_.issuers, issuer, &auth::issuer::name);
    if (found == settings_.issuers.end()) return; // a reload has dropped it meanwhile
    auto const index = static_cast<std::size_t>(found - settings_.issuers.begin());
    keys_[index] = std::move(keys);
    ++versions_[index];
}

void token_checker::refuse(token_check& seen, auth::refusal why)
{
    ++counts_[static_cast<std::size_t>(why)];
    seen.why = why;
    if (why == auth::refusal::request)
        seen.result = token_check::outcome::malformed;
    else if (settings_.on_invalid == auth::invalid_token::anonymous)
        seen.result = token_check::outcome::absent;
    else
        seen.result = token_check::outcome::invalid;
}

// However many tokens name keys that nobody knows, from here only one question per second goes out.
void token_checker::ask_for_keys(std::size_t issuer, std::int64_t now_us)
{
    if (now_us - asked_us_[issuer] < ask_again_us && now_us >= asked_us_[issuer]) return;
    asked_us_[issuer] = now_us;
    unknown_key_(settings_.issuers[issuer].name);
}

} // namespace penstock::gateway
