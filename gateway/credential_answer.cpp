#include "gateway/credential_answer.hpp"

#include "gateway/own_answer.hpp"

#include <algorithm>
#include <span>

namespace penstock::gateway::respond {
namespace {

// Whoever fails to sign in was charged for it, and learns what is left (RL-19); of nobody else's limits (RL-25).
unsigned turned_away(std::string& out, response_context const& context, unsigned status, std::string_view detail,
                     limit_report const& report, std::string_view challenges)
{
    out.clear();
    append_status_line(out, status);
    out.append(challenges);
    if (context.settings.on_success) append_limit_fields(out, report, context.settings, context.now_s);
    finish(out, context, blank_problem(status, phrase(status), detail));
    return status;
}

// `more`: parameters behind the realm.
std::string bearer_challenge(auth::token_settings const& tokens, std::string_view more)
{
    std::string challenge = "WWW-Authenticate: Bearer realm=\"";
    challenge.append(tokens.realm).append("\"").append(more);
    if (!tokens.resource_metadata.empty())
        challenge.append(", resource_metadata=\"").append(tokens.resource_metadata).append("\"");
    return challenge.append("\r\n");
}

std::string error_parameters(std::string_view code, std::string_view detail)
{
    std::string parameters = ", error=\"";
    return parameters.append(code).append("\", error_description=\"").append(detail).append("\"");
}

struct token_error {
    unsigned status;
    std::string_view code; // RFC 6750 section 3.1
};

token_error error_of(auth::refusal why) noexcept
{
    if (why == auth::refusal::request) return {400, "invalid_request"};
    if (why == auth::refusal::scope) return {403, "insufficient_scope"};
    return {401, "invalid_token"};
}

// Whether what credentials say, of the token or of the API key, is not all that a limit counts by.
bool lacks(partition::descriptor const& key, partition::entry_source source, std::span<base::field const> said)
{
    return std::ranges::any_of(key, [=](partition::entry const& entry) {
        return entry.source == source && std::ranges::find(said, entry.name, &base::field::name) == said.end();
    });
}

} // namespace

unsigned refused_credentials(std::string& out, response_context const& context, credential_refusal why,
                             limit_report const& report)
{
    switch (why) {
    case credential_refusal::api_key_repeated:
        return turned_away(out, context, 400, "The API key is given more than once.", report, {});
    case credential_refusal::api_key_malformed:
        return turned_away(out, context, 400, "The API key must be 1 to 512 visible ASCII characters.", report, {});
    case credential_refusal::none:
    case credential_refusal::api_key_denied:
    case credential_refusal::token_malformed: // bad_token
    case credential_refusal::token_invalid:
    case credential_refusal::key_missing:
    case credential_refusal::api_key_unknown: break;
    }
    return turned_away(out, context, 401, "The API key is not known.", report, context.settings.api_key_challenges);
}

unsigned bad_token(std::string& out, response_context const& context, token_check const& seen, limit_report const& report)
{
    auto const error = error_of(seen.why);
    auto const detail = auth::describe(seen.why);
    auto parameters = error_parameters(error.code, detail);
    if (seen.scopes != nullptr) {
        parameters.append(", scope=\"");
        for (auto const& each : *seen.scopes) parameters.append(&each == &seen.scopes->front() ? "" : " ").append(each);
        parameters.append("\"");
    }
    return turned_away(out, context, error.status, detail, report, bearer_challenge(*context.tokens, parameters));
}

unsigned missing_key(std::string& out, response_context const& context, limiter::policy const& limit,
                     base::request_facts const& facts, limit_report const& report)
{
    using partition::entry_source;
    auto const lacks_claim = context.tokens != nullptr && lacks(limit.key, entry_source::jwt_claim, facts.token_claims);
    auto const lacks_attribute = lacks(limit.key, entry_source::api_key_attribute, facts.api_key_attributes);
    auto const is_of_api_key = [](partition::entry const& entry) {
        return entry.source == entry_source::api_key || entry.source == entry_source::api_key_attribute;
    };
    auto const wants_api_key = facts.api_key.empty() && std::ranges::any_of(limit.key, is_of_api_key);
    auto const wants_token = lacks_claim && facts.token_issuer.empty();
    if (wants_api_key || wants_token) { // no error: there is none (RFC 6750 section 3.1)
        auto const* const detail = !wants_token     ? "An API key is required."
                                   : !wants_api_key ? "A token is required."
                                                    : "An API key and a token are required.";
        std::string challenges;
        if (wants_api_key) challenges = context.settings.api_key_challenges;
        if (wants_token) challenges += bearer_challenge(*context.tokens, {});
        return turned_away(out, context, 401, detail, report, challenges);
    }
    if (lacks_claim) {
        constexpr std::string_view detail = "The token lacks a claim that is required here.";
        return turned_away(out, context, 401, detail, report,
                           bearer_challenge(*context.tokens, error_parameters("invalid_token", detail)));
    }
    if (lacks_attribute) return turned_away(out, context, 403, "The API key is not of a kind that is served here.", report, {});
    return turned_away(out, context, 400, "The request lacks what its limit is counted by.", report, {});
}

} // namespace penstock::gateway::respond
