// From what became of a request to the response that the client gets. The only table of status codes; every answer that
// the gateway makes itself, and the head of every answer that it passes on. Pure: appends to a string.
#pragma once

#include "conf/settings.hpp"
#include "gateway/credential_refusal.hpp"
#include "gateway/limit_fields.hpp"
#include "gateway/token_check.hpp"
#include "limiter/admit.hpp"
#include "proxy/failure.hpp"
#include "proxy/head_problem.hpp"
#include "proxy/message_head.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace penstock::gateway {

enum class persistence : std::uint8_t { keep_alive, close };

// What every response needs to know of its request and its moment.
struct response_context {
    conf::response_settings const& settings;
    std::string_view date;  // IMF-fixdate
    std::int64_t now_s = 0; // the same moment, seconds since the epoch
    persistence connection = persistence::keep_alive;
    auth::token_settings const* tokens = nullptr; // null: none is ever looked at
    bool head_request = false;                    // no body, the same fields
    std::string_view origin;                      // of a browser's cross-origin request; empty: none
};

namespace respond {

// Each replaces the content of `out` with a whole response and returns its status.
unsigned malformed(std::string& out, response_context const& context, proxy::head_problem problem);
unsigned refused_facts(std::string& out, response_context const& context, std::string_view why);
unsigned denied(std::string& out, response_context const& context, conf::deny_action action); // nothing in `out`: just close
unsigned timed_out(std::string& out, response_context const& context);
unsigned no_route(std::string& out, response_context const& context);
unsigned loop_detected(std::string& out, response_context const& context);
unsigned method_not_supported(std::string& out, response_context const& context);
unsigned server_options(std::string& out, response_context const& context); // OPTIONS *
unsigned too_large(std::string& out, response_context const& context);
// A token that is no good; `context.tokens` is set (RFC 6750 section 3).
unsigned bad_token(std::string& out, response_context const& context, token_check const& seen, limit_report const& report);
unsigned refused_credentials(std::string& out, response_context const& context, credential_refusal why,
                             limit_report const& report);
unsigned missing_key(std::string& out, response_context const& context, limiter::policy const& limit,
                     limit_report const& report);
unsigned rejected(std::string& out, response_context const& context, limiter::admission_ruling const& gate,
                  limit_report const& report);
unsigned failed(std::string& out, response_context const& context, proxy::failure::kind why, limit_report const& report);

// The head of an upstream's answer as the client gets it, with the limits' fields; `framing` is how its body will be sent.
void relayed(std::string& out, response_context const& context, proxy::response_head const& answer, limit_report const& report,
             proxy::body_framing framing);
// An interim answer (1xx), or 101 with the protocol that both ends switch to.
void interim(std::string& out, proxy::response_head const& answer);

} // namespace respond
} // namespace penstock::gateway
