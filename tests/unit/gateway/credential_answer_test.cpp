#include "gateway/credential_answer.hpp"

#include "tests/unit/gateway/answers.hpp"
#include "tests/unit/gateway/rulings.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace penstock;
using namespace penstock::gateway;

TEST_CASE("AK-9: a missing API key is a 401 with a challenge, another missing key a 400")
{
    conf::response_settings const settings;
    limiter::policy limit;
    limit.key = {{.source = partition::entry_source::api_key, .name = {}}};
    std::string out;
    CHECK(respond::missing_key(out, context_of(settings), limit, {}) == 401);
    answer const challenge(out);
    CHECK(challenge.field("WWW-Authenticate") == "ApiKey realm=\"api\"");
    CHECK(challenge.problem().at("status") == 401);

    limit.key = {{.source = partition::entry_source::header, .name = "x-tenant"}};
    CHECK(respond::missing_key(out, context_of(settings), limit, {}) == 400);
    answer const lacking(out);
    CHECK(lacking.field("WWW-Authenticate").empty());
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
    CHECK(respond::missing_key(out, context, limit, {}) == 400); // no token would be looked at: not the client's to mend
    CHECK(answer(out).field("WWW-Authenticate").empty());
    context.tokens = &tokens;
    CHECK(respond::missing_key(out, context, limit, {}) == 401);
    CHECK(answer(out).field("WWW-Authenticate") == "Bearer realm=\"api\"");
}
