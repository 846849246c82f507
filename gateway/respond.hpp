// From what became of a request to the answer that the gateway makes itself: the table of status codes. Answers to credentials are
// in credential_answer, the heads of answers that are passed on in relayed_head. Pure: appends to a string.
#pragma once

#include "conf/settings.hpp"
#include "gateway/limit_fields.hpp"
#include "gateway/response_context.hpp"
#include "limiter/admit.hpp"
#include "proxy/failure.hpp"
#include "proxy/head_problem.hpp"

#include <string>
#include <string_view>

namespace penstock::gateway::respond {

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
unsigned rejected(std::string& out, response_context const& context, limiter::admission_ruling const& gate,
                  limit_report const& report);
unsigned failed(std::string& out, response_context const& context, proxy::failure::kind why, limit_report const& report);

} // namespace penstock::gateway::respond
