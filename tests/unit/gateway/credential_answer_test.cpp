#include "gateway/credential_answer.hpp"

#include "tests/unit/gateway/answers.hpp"
#include "tests/unit/gateway/rulings.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace penstock;
using namespace penstock::gateway;

TEST_CASE("AK-9, AK-41: who lacks what a limit insists on is asked for that, and for no other credential")
{
    using partition::entry_source;
    partition::entry const key{.source = entry_source::api_key, .name = {}};
    partition::entry const plan{.source = entry_source::api_key_attribute, .name = "plan"};
    partition::entry const subject{.source = entry_source::jwt_claim, .name = "sub"};
    partition::entry const tenant{.source = entry_source::header, .name = "x-tenant"};
    std::string const for_key = "ApiKey realm=\"api\"";
    std::string const for_token = "Bearer realm=\"api\"";
    std::string const for_claim =
        for_token + ", error=\"invalid_token\", error_description=\"The token lacks a claim that is required here.\"";
    std::vector<base::field> const attributes{{"plan", "gold"}};
    std::vector<base::field> const claims{{"sub", "jane"}};

    base::request_facts const nobody;
    base::request_facts with_key;
    with_key.api_key = "k-1";
    auto with_plan = with_key;
    with_plan.api_key_attributes = attributes;
    base::request_facts with_token;
    with_token.token_issuer = "https://id.example/";
    auto with_subject = with_token;
    with_subject.token_claims = claims;
    auto with_both = with_subject;
    with_both.api_key = "k-1";

    struct row {
        partition::descriptor counts_by;
        base::request_facts const& facts;
        unsigned status;
        std::string challenges; // parted by |
    };
    auth::token_settings const tokens;
    conf::response_settings const settings;
    auto context = context_of(settings);
    context.tokens = &tokens;
    for (auto const& r : {
             row{{key}, nobody, 401, for_key},
             row{{plan}, nobody, 401, for_key},
             row{{plan}, with_key, 403, {}},
             row{{subject}, nobody, 401, for_token},
             row{{subject}, with_token, 401, for_claim},
             row{{key, subject}, nobody, 401, for_key + "|" + for_token},
             row{{key, subject}, with_subject, 401, for_key},
             row{{key, subject}, with_key, 401, for_token},
             row{{tenant}, nobody, 400, {}},
             row{{key, tenant}, with_key, 400, {}},
             row{{plan, tenant}, with_plan, 400, {}},
             row{{subject, tenant}, with_subject, 400, {}},
             row{{key, subject, tenant}, with_both, 400, {}},
         }) {
        limiter::policy limit;
        limit.key = r.counts_by;
        std::string out;
        CHECK(respond::missing_key(out, context, limit, r.facts, {}) == r.status);
        answer const said(out);
        CHECK(said.field("WWW-Authenticate") == r.challenges);
        CHECK(said.problem().at("status") == r.status);
    }
}

TEST_CASE("AK-9: an unknown API key is a 401 with the challenges of its places, one that is no good a 400")
{
    conf::response_settings settings;
    std::string out;
    CHECK(respond::refused_credentials(out, context_of(settings), credential_refusal::api_key_unknown, {}) == 401);
    answer const challenge(out);
    CHECK(challenge.field("WWW-Authenticate") == "ApiKey realm=\"api\"");
    CHECK(challenge.problem().at("status") == 401);
    settings.api_key_challenges = "WWW-Authenticate: Basic realm=\"api\"\r\n";
    CHECK(respond::refused_credentials(out, context_of(settings), credential_refusal::api_key_unknown, {}) == 401);
    CHECK(answer(out).field("WWW-Authenticate") == "Basic realm=\"api\"");
    for (auto const why : {credential_refusal::api_key_repeated, credential_refusal::api_key_malformed}) {
        CHECK(respond::refused_credentials(out, context_of(settings), why, {}) == 400);
        CHECK(answer(out).field("WWW-Authenticate").empty());
    }
}

TEST_CASE("RL-19, RL-25: who fails to sign in learns what is left of the limits that counted it")
{
    rulings said;
    said.allowed(said.limit("addresses", window(10, seconds(60))), 7, seconds(60));
    auto const report = report_limits(said.gate, 0, 0);
    conf::response_settings settings;
    std::string out;
    respond::refused_credentials(out, context_of(settings), credential_refusal::api_key_unknown, report);
    CHECK(answer(out).field("RateLimit") == "\"addresses\";r=7;t=60");
    settings.on_success = false;
    respond::refused_credentials(out, context_of(settings), credential_refusal::api_key_unknown, report);
    CHECK(answer(out).field("RateLimit").empty());
}

TEST_CASE("AK-41: every refusal of a token has its status, error code and reason")
{
    struct row {
        auth::refusal why;
        unsigned status;
        std::string_view code;
    };
    auth::token_settings tokens;
    tokens.realm = "orders";
    conf::response_settings const settings;
    auto context = context_of(settings);
    context.tokens = &tokens;
    for (auto const& r : {
             row{auth::refusal::request, 400, "invalid_request"},
             row{auth::refusal::too_long, 401, "invalid_token"},
             row{auth::refusal::format, 401, "invalid_token"},
             row{auth::refusal::algorithm, 401, "invalid_token"},
             row{auth::refusal::critical, 401, "invalid_token"},
             row{auth::refusal::type, 401, "invalid_token"},
             row{auth::refusal::issuer, 401, "invalid_token"},
             row{auth::refusal::key, 401, "invalid_token"},
             row{auth::refusal::no_keys, 401, "invalid_token"},
             row{auth::refusal::signature, 401, "invalid_token"},
             row{auth::refusal::expired, 401, "invalid_token"},
             row{auth::refusal::too_early, 401, "invalid_token"},
             row{auth::refusal::claims, 401, "invalid_token"},
             row{auth::refusal::audience, 401, "invalid_token"},
             row{auth::refusal::scope, 403, "insufficient_scope"},
         }) {
        CAPTURE(auth::name_of(r.why));
        token_check seen;
        seen.result = token_check::outcome::invalid;
        seen.why = r.why;
        std::string out;
        CHECK(respond::bad_token(out, context, seen, {}) == r.status);
        answer const refusal(out);
        CHECK(refusal.field("WWW-Authenticate") == "Bearer realm=\"orders\", error=\"" + std::string(r.code) +
                                                       "\", error_description=\"" + std::string(auth::describe(r.why)) + "\"");
        CHECK(refusal.problem().at("status") == r.status);
        CHECK(refusal.problem().at("detail") == auth::describe(r.why));
    }
}

TEST_CASE("AK-43, RFC 6750 section 3: a challenge names the scopes that are missing and where to read on")
{
    auth::token_settings tokens;
    tokens.resource_metadata = "https://api.example/.well-known/oauth-protected-resource";
    conf::response_settings const settings;
    auto context = context_of(settings);
    context.tokens = &tokens;
    std::vector<std::string> const scopes = {"orders:read", "orders:write"};
    token_check seen;
    seen.result = token_check::outcome::invalid;
    seen.why = auth::refusal::scope;
    seen.scopes = &scopes;
    std::string out;
    CHECK(respond::bad_token(out, context, seen, {}) == 403);
    auto const challenge = answer(out).field("WWW-Authenticate");
    CHECK(challenge.starts_with("Bearer realm=\"api\", error=\"insufficient_scope\", "));
    CHECK(challenge.ends_with(", scope=\"orders:read orders:write\", "
                              "resource_metadata=\"https://api.example/.well-known/oauth-protected-resource\""));
}

TEST_CASE("AK-41: a request without any token is challenged without an error")
{
    auth::token_settings const tokens;
    conf::response_settings const settings;
    auto context = context_of(settings);
    limiter::policy limit;
    limit.key = {{.source = partition::entry_source::jwt_claim, .name = "sub"}};
    std::string out;
    CHECK(respond::missing_key(out, context, limit, {}, {}) == 400); // no token would be looked at: not the client's to mend
    CHECK(answer(out).field("WWW-Authenticate").empty());
    context.tokens = &tokens;
    CHECK(respond::missing_key(out, context, limit, {}, {}) == 401);
    CHECK(answer(out).field("WWW-Authenticate") == "Bearer realm=\"api\"");
}
