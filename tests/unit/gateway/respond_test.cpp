#include "gateway/respond.hpp"

#include "gateway/answer_body.hpp"
#include "tests/unit/gateway/answers.hpp"
#include "tests/unit/gateway/rulings.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

using namespace penstock;
using namespace penstock::gateway;
using proxy::failure;
using proxy::head_problem;

namespace {

constexpr std::string_view quota_exceeded = "https://iana.org/assignments/http-problem-types#quota-exceeded";
constexpr std::string_view reduced_capacity = "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity";

using maker = std::function<unsigned(std::string&, response_context const&)>;

std::string made(maker const& make, response_context const& context)
{
    std::string out = "what was there before";
    auto const status = make(out, context);
    CHECK(out.starts_with("HTTP/1.1 " + std::to_string(status) + " "));
    return out;
}

} // namespace

TEST_CASE("RL-40, RL-43, RL-78: every failure has its status, phrase and an about:blank problem that says the same")
{
    struct row {
        std::string_view name;
        maker make;
        unsigned status;
        std::string_view phrase;
    };
    auto const head = [](head_problem why) -> maker {
        return [why](auto& out, auto& context) { return respond::malformed(out, context, why); };
    };
    auto const failed = [](failure::kind why) -> maker {
        return [why](auto& out, auto& context) { return respond::failed(out, context, why, {}); };
    };
    conf::response_settings const settings;
    for (auto const &r : std::vector<row>{
             {"malformed", head(head_problem::malformed), 400, "Bad Request"},
             {"version", head(head_problem::unsupported_version), 505, "HTTP Version Not Supported"},
             {"long target", head(head_problem::target_too_long), 414, "URI Too Long"},
             {"large fields", head(head_problem::fields_too_large), 431, "Request Header Fields Too Large"},
             {"framing", head(head_problem::bad_framing), 400, "Bad Request"},
             {"coding", head(head_problem::unknown_coding), 501, "Not Implemented"},
             {"expectation", head(head_problem::unknown_expectation), 417, "Expectation Failed"},
             {"host", head(head_problem::bad_host), 400, "Bad Request"},
             {"target", head(head_problem::bad_target), 400, "Bad Request"},
             {"no endpoint", failed(failure::kind::no_endpoint), 503, "Service Unavailable"},
             {"connect refused", failed(failure::kind::connect_refused), 502, "Bad Gateway"},
             {"connect timed out", failed(failure::kind::connect_timed_out), 504, "Gateway Timeout"},
             {"broken", failed(failure::kind::broken), 502, "Bad Gateway"},
             {"bad answer", failed(failure::kind::bad_answer), 502, "Bad Gateway"},
             {"answer timed out", failed(failure::kind::answer_timed_out), 504, "Gateway Timeout"},
             {"body cut short", failed(failure::kind::client_body_cut), 400, "Bad Request"},
             {"client body invalid", failed(failure::kind::client_body_invalid), 400, "Bad Request"},
             {"client timed out", failed(failure::kind::client_timed_out), 408, "Request Timeout"},
             {"body too large", failed(failure::kind::body_too_large), 413, "Payload Too Large"},
             {"facts", [](auto&out, auto&context) { return respond::refused_facts(out, context, "Why."); }, 400, "Bad Request"},
             {"head timed out", respond::timed_out, 408, "Request Timeout"},
             {"no route", respond::no_route, 404, "Not Found"},
             {"method", respond::method_not_supported, 405, "Method Not Allowed"},
             {"declared too large", respond::too_large, 413, "Payload Too Large"},
         }) {
        CAPTURE(r.name);
        auto context = context_of(settings);
        answer const whole(made(r.make, context));
        CHECK(whole.head.status == r.status);
        CHECK(whole.head.reason == r.phrase);
        CHECK(whole.field("Content-Type") == "application/problem+json");
        CHECK(whole.field("Content-Length") == std::to_string(whole.body.size()));
        CHECK(whole.field("Date") == date);
        CHECK(whole.field("Cache-Control") == "no-store");
        CHECK(whole.field("Connection").empty());
        CHECK(whole.field("Retry-After") == (r.status == 503 ? "1" : ""));
        CHECK(whole.field("Allow").empty() == (r.status != 405));
        auto const problem = whole.problem();
        CHECK(problem.at("type") == "about:blank");
        CHECK(problem.at("title") == r.phrase);
        CHECK(problem.at("status") == r.status);
        CHECK(!problem.at("detail").get<std::string>().empty());

        context.head_request = true;
        context.connection = persistence::close;
        answer const head_only(made(r.make, context));
        CHECK(head_only.body.empty());
        CHECK(head_only.field("Content-Length") == whole.field("Content-Length"));
        CHECK(head_only.field("Connection") == "close");
    }
}

TEST_CASE("RL-40..RL-46, RL-70, RL-71: a refusal names the limits that refused, and when to come back")
{
    rulings said;
    said.refused(said.limit("burst", bucket(100, seconds(0.6))), seconds(11.5));
    said.allowed(said.limit("fine", window(10, seconds(60))), 5, seconds(60));
    said.refused(said.limit("daily", window(1000, seconds(86'400))), seconds(3));
    auto& hidden = said.limit("secret-capacity", window(1, seconds(60)));
    hidden.advertise = limiter::advertisement::hidden;
    said.refused(hidden, seconds(1));
    auto const report = report_limits(said.gate, 0, 0.0);
    conf::response_settings settings;
    auto context = context_of(settings);
    auto const refuse = [&](std::string& out, response_context const& with) {
        return respond::rejected(out, with, said.gate, report);
    };

    answer const whole(made(refuse, context));
    CHECK(whole.bytes.starts_with("HTTP/1.1 429 Too Many Requests\r\n"));
    CHECK(whole.field("Retry-After") == "12");
    CHECK(whole.field("Cache-Control") == "no-store");
    CHECK(whole.field("RateLimit-Policy") == "\"burst\";q=100;w=60");
    auto const problem = whole.problem();
    CHECK(problem.at("type") == quota_exceeded);
    CHECK(problem.at("title") == "Quota Exceeded");
    CHECK(problem.at("status") == 429);
    CHECK(problem.at("detail") == "Policy burst allows 100 requests per 60 s. Retry in 12 s.");
    CHECK(problem.at("violated-policies") == nlohmann::json{"burst", "daily"});
    CHECK(whole.bytes.find("secret-capacity") == std::string::npos);

    context.head_request = true;
    answer const head_only(made(refuse, context));
    CHECK(head_only.body.empty());
    CHECK(head_only.field("Content-Length") == std::to_string(whole.body.size()));

    settings.rejection_status = 503;
    context.head_request = false;
    answer const other_status(made(refuse, context));
    CHECK(other_status.head.status == 503);
    CHECK(other_status.problem().at("status") == 503);
    CHECK(other_status.field("Retry-After") == "12");
}

TEST_CASE("RL-75: limits that could not be checked are a 503 of another type, without invented numbers")
{
    rulings said;
    said.unanswered(said.limit("fleet", window(10, seconds(60))), limiter::outcome::unanswered_denied);
    said.unanswered(said.limit("lenient", window(10, seconds(60))), limiter::outcome::unanswered_allowed);
    conf::response_settings const settings;
    std::string out;
    CHECK(respond::rejected(out, context_of(settings), said.gate, report_limits(said.gate, 0, 0.0)) == 503);
    answer const whole(out);
    CHECK(whole.field("Retry-After") == "1");
    CHECK(whole.field("RateLimit").empty());
    CHECK(whole.problem().at("type") == reduced_capacity);
    CHECK(whole.problem().at("title") == "Temporary Reduced Capacity");
    CHECK(whole.problem().at("status") == 503);
    CHECK(whole.problem().at("violated-policies") == nlohmann::json{"fleet"});
}

TEST_CASE("RL-76: a request that can never pass is not told to retry")
{
    rulings said;
    said.refused(said.limit("small", bucket(10, seconds(1))), limiter::never);
    conf::response_settings const settings;
    std::string out;
    respond::rejected(out, context_of(settings), said.gate, report_limits(said.gate, 0, 0.0));
    answer const whole(out);
    CHECK(whole.field("Retry-After").empty());
    CHECK(whole.problem().at("detail").get<std::string>().find("Retry in") == std::string::npos);
}

TEST_CASE("RL-45: the operator's body, as text or from a template")
{
    rulings said;
    said.refused(said.limit("default", bucket(100, seconds(0.6))), seconds(12));
    auto const report = report_limits(said.gate, 0, 0.0);
    std::string const detail = "Policy default allows 100 requests per 60 s. Retry in 12 s.";
    conf::response_settings settings;
    auto const refused = [&] {
        std::string out;
        respond::rejected(out, context_of(settings), said.gate, report);
        return out;
    };
    settings.body = conf::rejection_body::text;
    answer const text(refused());
    CHECK(text.field("Content-Type") == "text/plain; charset=utf-8");
    CHECK(text.body == "429 Too Many Requests\n" + detail + "\n");

    settings.body = conf::rejection_body::file;
    settings.template_media_type = "text/x-page";
    struct row {
        std::string_view form;
        std::string body;
    };
    for (auto const& r : std::vector<row>{
             {"{{status}}: {{detail}} ({{policies}}, {{retry_after}} s)", "429: " + detail + " (default, 12 s)"},
             {"", ""},
             {"no place", "no place"},
             {"{{other}} {{ status }}", "{{other}} {{ status }}"},
             {"{{status", "{{status"},
             {"{status}} {{status}}}}", "{status}} 429}}"},
         }) {
        CAPTURE(r.form);
        settings.body_template = r.form;
        answer const page(refused());
        CHECK(page.field("Content-Type") == "text/x-page");
        CHECK(page.body == r.body);
        CHECK(page.field("Content-Length") == std::to_string(r.body.size()));
    }
}

TEST_CASE("RL-72: who is denied gets a 403, or no answer at all")
{
    conf::response_settings const settings;
    std::string out;
    CHECK(respond::denied(out, context_of(settings), conf::deny_action::reject) == 403);
    answer const refusal(out);
    CHECK(refusal.problem().at("status") == 403);
    CHECK(refusal.problem().at("type") == "about:blank");
    CHECK(respond::denied(out, context_of(settings), conf::deny_action::close) == 444);
    CHECK(out.empty());
}

TEST_CASE("H1-25, H1-60: OPTIONS * is answered without content")
{
    conf::response_settings const settings;
    auto context = context_of(settings);
    context.connection = persistence::close;
    std::string out;
    CHECK(respond::server_options(out, context) == 204);
    answer const whole(out);
    CHECK(!whole.field("Allow").empty());
    CHECK(whole.field("Date") == date);
    CHECK(whole.field("Connection") == "close");
    CHECK(whole.field("Content-Length").empty());
    CHECK(whole.body.empty());
}

TEST_CASE("RL-19: a request that was charged learns what is left although its upstream failed")
{
    rulings said;
    said.allowed(said.limit("default", bucket(100, seconds(0.6))), 99, seconds(0.6));
    auto const report = report_limits(said.gate, 0, 0.0);
    conf::response_settings settings;
    std::string out;
    respond::failed(out, context_of(settings), failure::kind::broken, report);
    CHECK(answer(out).field("RateLimit") == "\"default\";r=99;t=60");
    settings.on_success = false;
    respond::failed(out, context_of(settings), failure::kind::broken, report);
    CHECK(answer(out).field("RateLimit").empty());
}

TEST_CASE("RL-35: an answer of our own names the origin and the fields that its scripts may read")
{
    conf::response_settings const settings;
    auto context = context_of(settings);
    std::string out;
    respond::no_route(out, context);
    CHECK(answer(out).field("Access-Control-Allow-Origin").empty());
    context.origin = "https://shop.example";
    respond::no_route(out, context);
    answer const shown(out);
    CHECK(shown.field("Access-Control-Allow-Origin") == "https://shop.example");
    CHECK(shown.field("Access-Control-Expose-Headers") == exposed_fields);
    CHECK(shown.field("Vary") == "Origin");
}
