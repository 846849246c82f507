// The answers to credentials that are missing or no good, with their challenges (RFC 9110 section 11.6.1, RFC 6750 section 3, RFC 9728
// section 5.1). Whoever fails to sign in was charged for it, and learns what is left. Pure: appends to a string.
#pragma once

#include "base/request_facts.hpp"
#include "gateway/credential_refusal.hpp"
#include "gateway/limit_fields.hpp"
#include "gateway/response_context.hpp"
#include "gateway/token_check.hpp"
#include "limiter/policy.hpp"

#include <string>

namespace penstock::gateway::respond {

// Each replaces the content of `out` with a whole response and returns its status.

// A token that is no good; `context.tokens` is set (RFC 6750 section 3).
unsigned bad_token(std::string& out, response_context const& context, token_check const& seen, limit_report const& report);
unsigned refused_credentials(std::string& out, response_context const& context, credential_refusal why,
                             limit_report const& report);
// The request lacks what `limit` insists on. 401: an API key, a token, or both are asked for (AK-9), or the token lacks a claim
// (invalid_token, AK-41); 403: the API key lacks an attribute; 400: it lacks something else.
unsigned missing_key(std::string& out, response_context const& context, limiter::policy const& limit,
                     base::request_facts const& facts, limit_report const& report);

} // namespace penstock::gateway::respond
