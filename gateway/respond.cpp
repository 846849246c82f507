#include "gateway/respond.hpp"

#include "gateway/answer_body.hpp"
#include "proxy/fields.hpp"

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/status.hpp>

#include <algorithm>

#include <array>
#include <charconv>

namespace penstock::gateway::respond {
namespace {

using proxy::failure;
using proxy::head_problem;

void append_number(std::string& out, std::uint64_t number)
{
    std::array<char, 20> digits;
    out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr);
}

std::string_view phrase(unsigned status)
{
    if (status == 508) return "Loop Detected"; // RFC 5842; Beast knows neither it nor what an operator made up
    auto const known = boost::beast::http::int_to_status(status) != boost::beast::http::status::unknown;
    return known ? boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(status)) : "Refused";
}

void append_status_line(std::string& out, unsigned status)
{
    out.append("HTTP/1.1 ");
    append_number(out, status);
    out.append(" ").append(phrase(status)).append("\r\n");
}

// A browser shows a script neither status nor fields of an answer that does not name its origin (RL-35).
void append_cors(std::string& out, std::string_view origin)
{
    if (origin.empty()) return;
    out.append("Access-Control-Allow-Origin: ").append(origin).append("\r\nAccess-Control-Allow-Credentials: true\r\n");
    out.append("Access-Control-Expose-Headers: ").append(exposed_fields).append("\r\nVary: Origin\r\n");
}

// Everything of a response of our own behind its special fields.
void finish(std::string& out, response_context const& context, answer_body const& body)
{
    out.append("Date: ").append(context.date).append("\r\nCache-Control: no-store\r\n");
    append_cors(out, context.origin);
    if (context.connection == persistence::close) out.append("Connection: close\r\n");
    out.append("Content-Type: ").append(body.media_type).append("\r\nContent-Length: ");
    append_number(out, body.text.size());
    out.append("\r\n\r\n");
    if (!context.head_request) out.append(body.text);
}

unsigned simple(std::string& out, response_context const& context, unsigned status, std::string_view detail)
{
    out.clear();
    append_status_line(out, status);
    finish(out, context, blank_problem(status, phrase(status), detail));
    return status;
}

// Whoever fails to sign in was charged for it, and learns what is left (RL-19); of nobody else's limits (RL-25).
unsigned turned_away(std::string& out, response_context const& context, unsigned status, std::string_view detail,
                     limit_report const& report)
{
    out.clear();
    append_status_line(out, status);
    if (status == 401) out.append(context.settings.api_key_challenges); // AK-9
    if (context.settings.on_success) append_limit_fields(out, report, context.settings, context.now_s);
    finish(out, context, blank_problem(status, phrase(status), detail));
    return status;
}

// RFC 6750 section 3, RFC 9728 section 5.1. `more`: parameters behind the realm.
void append_bearer_challenge(std::string& out, auth::token_settings const& tokens, std::string_view more)
{
    out.append("WWW-Authenticate: Bearer realm=\"").append(tokens.realm).append("\"").append(more);
    if (!tokens.resource_metadata.empty()) out.append(", resource_metadata=\"").append(tokens.resource_metadata).append("\"");
    out.append("\r\n");
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

bool is_limit_family(std::string_view name, std::string_view family) noexcept
{
    return name.size() > family.size() && boost::beast::iequals(name.substr(0, family.size()), family);
}

// Decides on the limit fields of an upstream beside ours, once per response that has any.
class upstream_limit_fields {
public:
    upstream_limit_fields(std::vector<base::field> const& fields, limit_report const& report,
                          conf::response_settings const& settings)
        : report_(report)
    {
        for (auto const style : settings.rate_limit_fields) {
            if (style == conf::field_style::draft) draft_ = true;
            if (style == conf::field_style::triple) triple_ = true;
            if (style == conf::field_style::x_ratelimit) x_ratelimit_ = true;
        }
        stands_.triple_stands = triple_ && upstream_is_stricter(fields, "RateLimit-Remaining", report);
        stands_.x_ratelimit_stands = x_ratelimit_ && upstream_is_stricter(fields, "X-RateLimit-Remaining", report);
    }
    [[nodiscard]] upstream_families const& families() const noexcept { return stands_; }
    [[nodiscard]] bool copies(base::field const& field) const
    {
        if (report_.empty()) return true;
        using boost::beast::iequals;
        auto const is_limits = iequals(field.name, "RateLimit");
        if (is_limits || iequals(field.name, "RateLimit-Policy")) {
            auto const which = is_limits ? list_field::limits : list_field::policies;
            return !draft_ || judge_list_field(which, field.value, report_) == upstream_fields::copy;
        }
        // Of fields that cannot be sent twice the stricter set is sent (RL-27, RL-58).
        if (triple_ && is_limit_family(field.name, "RateLimit-")) return stands_.triple_stands;
        if (x_ratelimit_ && is_limit_family(field.name, "X-RateLimit-")) return stands_.x_ratelimit_stands;
        return true;
    }

private:
    limit_report const& report_;
    upstream_families stands_;
    bool draft_ = false;
    bool triple_ = false;
    bool x_ratelimit_ = false;
};

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

unsigned refused_credentials(std::string& out, response_context const& context, credential_refusal why,
                             limit_report const& report)
{
    switch (why) {
    case credential_refusal::api_key_repeated:
        return turned_away(out, context, 400, "The API key is given more than once.", report);
    case credential_refusal::api_key_malformed:
        return turned_away(out, context, 400, "The API key must be 1 to 512 visible ASCII characters.", report);
    case credential_refusal::none:
    case credential_refusal::api_key_denied:
    case credential_refusal::token_malformed: // bad_token
    case credential_refusal::token_invalid:
    case credential_refusal::key_missing:
    case credential_refusal::api_key_unknown: break;
    }
    return turned_away(out, context, 401, "The API key is not known.", report);
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

unsigned bad_token(std::string& out, response_context const& context, token_check const& seen, limit_report const& report)
{
    auto const error = error_of(seen.why);
    auto const detail = auth::describe(seen.why);
    std::string parameters = ", error=\"";
    parameters.append(error.code).append("\", error_description=\"").append(detail).append("\"");
    if (seen.scopes != nullptr) {
        parameters.append(", scope=\"");
        for (auto const& each : *seen.scopes) parameters.append(&each == &seen.scopes->front() ? "" : " ").append(each);
        parameters.append("\"");
    }
    out.clear();
    append_status_line(out, error.status);
    append_bearer_challenge(out, *context.tokens, parameters);
    if (context.settings.on_success) append_limit_fields(out, report, context.settings, context.now_s);
    finish(out, context, blank_problem(error.status, phrase(error.status), detail));
    return error.status;
}

unsigned missing_key(std::string& out, response_context const& context, limiter::policy const& limit,
                     limit_report const& report)
{
    using partition::entry_source;
    auto const is_claim = [](partition::entry const& entry) { return entry.source == entry_source::jwt_claim; };
    if (context.tokens != nullptr && std::ranges::any_of(limit.key, is_claim)) {
        out.clear();
        append_status_line(out, 401);
        append_bearer_challenge(out, *context.tokens, {}); // without an error: there was no token, or not this claim in it
        if (context.settings.on_success) append_limit_fields(out, report, context.settings, context.now_s);
        finish(out, context, blank_problem(401, phrase(401), "A token is required."));
        return 401;
    }
    auto const is_credential = [](partition::entry const& entry) {
        return entry.source == entry_source::api_key || entry.source == entry_source::api_key_attribute;
    };
    if (std::ranges::none_of(limit.key, is_credential))
        return turned_away(out, context, 400, "The request lacks what its limit is counted by.", report);
    return turned_away(out, context, 401, "An API key is required.", report);
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

void relayed(std::string& out, response_context const& context, proxy::response_head const& answer, limit_report const& report,
             proxy::body_framing framing)
{
    out.assign("HTTP/1.1 ");
    append_number(out, answer.status);
    out.append(" ").append(answer.reason).append("\r\n");

    proxy::connection_options connection;
    bool has_date = false;
    bool shared_cacheable = false;
    bool allows_origin = false;
    std::string_view declared_length;
    for (auto const& field : answer.fields) {
        if (proxy::classify_field(field.name) == proxy::field_kind::connection) connection.add(field.value);
    }
    upstream_limit_fields const theirs(answer.fields, report, context.settings);
    for (auto const& field : answer.fields) {
        using boost::beast::iequals;
        switch (field.name.size()) { // the few names that matter here, told apart by length first
        case 4: has_date = has_date || iequals(field.name, "Date"); break;
        case 13:
            if (iequals(field.name, "Cache-Control")) shared_cacheable = is_shared_cacheable(field.value);
            break;
        case 14:
            if (iequals(field.name, "Content-Length")) declared_length = field.value;
            break;
        case 27: allows_origin = allows_origin || iequals(field.name, "Access-Control-Allow-Origin"); break;
        default: break;
        }
        if (proxy::forwards_response_field(field.name, connection) && theirs.copies(field))
            out.append(field.name).append(": ").append(field.value).append("\r\n");
    }
    if (!has_date) out.append("Date: ").append(context.date).append("\r\n");
    if (context.settings.on_success && !report.empty() && !shared_cacheable) {
        append_limit_fields(out, report, context.settings, context.now_s, theirs.families());
        if (allows_origin) out.append("Access-Control-Expose-Headers: ").append(exposed_fields).append("\r\n");
    }
    switch (framing.how) {
    case proxy::body_framing::kind::length:
        out.append("Content-Length: ");
        append_number(out, framing.length);
        out.append("\r\n");
        break;
    case proxy::body_framing::kind::chunked: out.append("Transfer-Encoding: chunked\r\n"); break;
    case proxy::body_framing::kind::none: // HEAD and 304 may say how long the content would be
        if (!declared_length.empty() && answer.status != 204 && answer.status / 100 != 1)
            out.append("Content-Length: ").append(declared_length).append("\r\n");
        break;
    case proxy::body_framing::kind::until_close: break;
    }
    if (context.connection == persistence::close) out.append("Connection: close\r\n");
    out.append("\r\n");
}

void interim(std::string& out, proxy::response_head const& answer)
{
    out.assign("HTTP/1.1 ");
    append_number(out, answer.status);
    out.append(" ").append(answer.reason).append("\r\n");
    proxy::connection_options connection;
    for (auto const& field : answer.fields) {
        if (proxy::classify_field(field.name) == proxy::field_kind::connection) connection.add(field.value);
    }
    for (auto const& field : answer.fields) {
        if (proxy::forwards_response_field(field.name, connection))
            out.append(field.name).append(": ").append(field.value).append("\r\n");
    }
    if (answer.status == 101) out.append("Connection: upgrade\r\nUpgrade: ").append(answer.upgrade).append("\r\n");
    out.append("\r\n");
}

} // namespace penstock::gateway::respond
