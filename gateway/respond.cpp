#include "gateway/respond.hpp"

#include "gateway/answer_body.hpp"
#include "gateway/own_answer.hpp"

namespace penstock::gateway::respond {
namespace {

using proxy::failure;
using proxy::head_problem;

unsigned status_of(head_problem problem) noexcept
{
    switch (problem) {
    case head_problem::target_too_long: return 414;
    case head_problem::fields_too_large: return 431;
    case head_problem::unsupported_version: return 505;
    case head_problem::unknown_coding: return 501;
    case head_problem::unknown_expectation: return 417;
    case head_problem::none:
    case head_problem::malformed:
    case head_problem::bad_framing:
    case head_problem::bad_host:
    case head_problem::bad_target: break;
    }
    return 400;
}

unsigned status_of(failure::kind why) noexcept
{
    switch (why) {
    case failure::kind::no_endpoint: return 503;
    case failure::kind::connect_refused:
    case failure::kind::broken:
    case failure::kind::bad_answer: return 502;
    case failure::kind::connect_timed_out:
    case failure::kind::answer_timed_out: return 504;
    case failure::kind::client_timed_out: return 408;
    case failure::kind::body_too_large: return 413;
    case failure::kind::client_gone:
    case failure::kind::client_body_cut:
    case failure::kind::client_body_invalid: break;
    }
    return 400;
}

std::string_view detail_of(failure::kind why) noexcept
{
    switch (why) {
    case failure::kind::no_endpoint: return "No endpoint of the upstream is healthy.";
    case failure::kind::connect_refused: return "The upstream could not be reached.";
    case failure::kind::connect_timed_out: return "The upstream could not be reached in time.";
    case failure::kind::broken: return "The upstream ended the connection before its answer was complete.";
    case failure::kind::bad_answer: return "The upstream's answer is not valid HTTP.";
    case failure::kind::answer_timed_out: return "The upstream did not answer in time.";
    case failure::kind::client_gone: return "The client has gone.";
    case failure::kind::client_body_cut: return "The request body ended too early.";
    case failure::kind::client_body_invalid: return "The request body is not framed as HTTP requires.";
    case failure::kind::client_timed_out: return "The request body did not arrive in time.";
    case failure::kind::body_too_large: return "The request body is larger than this gateway accepts.";
    }
    return {};
}

std::string_view detail_of(head_problem problem) noexcept
{
    switch (problem) {
    case head_problem::target_too_long: return "The request line is too long.";
    case head_problem::fields_too_large: return "A header field, all of them together, or their number is too large.";
    case head_problem::unsupported_version: return "This version of HTTP is not supported here.";
    case head_problem::unknown_coding: return "The transfer coding is not supported; chunked is.";
    case head_problem::unknown_expectation: return "The expectation is not supported; 100-continue is.";
    case head_problem::bad_framing: return "Content-Length and Transfer-Encoding do not frame one body.";
    case head_problem::bad_host: return "A request has exactly one Host field.";
    case head_problem::bad_target: return "The request target is not valid.";
    case head_problem::none:
    case head_problem::malformed: break;
    }
    return "The request is not valid HTTP.";
}

} // namespace

unsigned malformed(std::string& out, response_context const& context, head_problem problem)
{
    return simple(out, context, status_of(problem), detail_of(problem));
}

unsigned refused_facts(std::string& out, response_context const& context, std::string_view why)
{
    return simple(out, context, 400, why);
}

unsigned denied(std::string& out, response_context const& context, conf::deny_action action)
{
    if (action == conf::deny_action::reject) return simple(out, context, 403, "Access is denied.");
    out.clear();
    return 444; // what nginx' users know a connection by that is closed without an answer
}

unsigned timed_out(std::string& out, response_context const& context)
{
    return simple(out, context, 408, "The request head did not arrive in time.");
}

unsigned no_route(std::string& out, response_context const& context)
{
    return simple(out, context, 404, "No route matches this request.");
}

unsigned loop_detected(std::string& out, response_context const& context)
{
    return simple(out, context, 508, "This request has passed through this gateway too often.");
}

unsigned method_not_supported(std::string& out, response_context const& context)
{
    out.clear();
    append_status_line(out, 405);
    out.append("Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n");
    finish(out, context, blank_problem(405, phrase(405), "This gateway neither tunnels nor traces."));
    return 405;
}

unsigned server_options(std::string& out, response_context const& context)
{
    out.assign("HTTP/1.1 204 No Content\r\nAllow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\nDate: ")
        .append(context.date)
        .append("\r\n");
    if (context.connection == persistence::close) out.append("Connection: close\r\n");
    out.append("\r\n");
    return 204;
}

unsigned too_large(std::string& out, response_context const& context)
{
    return simple(out, context, 413, detail_of(failure::kind::body_too_large));
}

unsigned rejected(std::string& out, response_context const& context, limiter::admission_ruling const& gate,
                  limit_report const& report)
{
    auto const unavailable = gate.verdict == limiter::admission_ruling::kind::store_unavailable;
    auto const status = unavailable ? 503U : context.settings.rejection_status;
    out.clear();
    append_status_line(out, status);
    if (unavailable)
        out.append("Retry-After: 1\r\n");
    else
        append_limit_fields(out, report, context.settings, context.now_s);
    finish(out, context,
           unavailable ? unavailable_body(gate) : rejection_body(context.settings, status, phrase(status), gate, report));
    return status;
}

// The request was charged: its client learns what is left (RL-19).
unsigned failed(std::string& out, response_context const& context, failure::kind why, limit_report const& report)
{
    auto const status = status_of(why);
    out.clear();
    append_status_line(out, status);
    if (status == 503) out.append("Retry-After: 1\r\n"); // RL-60: an endpoint rests for about that long
    if (context.settings.on_success) append_limit_fields(out, report, context.settings, context.now_s);
    finish(out, context, blank_problem(status, phrase(status), detail_of(why)));
    return status;
}

} // namespace penstock::gateway::respond
