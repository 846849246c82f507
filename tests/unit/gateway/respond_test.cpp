#include "gateway/respond.hpp"

#include "gateway/answer_body.hpp"
#include "proxy/head_parser.hpp"
#include "tests/unit/gateway/rulings.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <functional>
#include <string>
#include <vector>

using namespace penstock;
using namespace penstock::gateway;
using proxy::failure;
using proxy::head_problem;

namespace {

constexpr std::string_view date = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr std::string_view quota_exceeded = "https://iana.org/assignments/http-problem-types#quota-exceeded";
constexpr std::string_view reduced_capacity = "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity";

// A response taken apart by the parser that reads upstreams.
struct answer {
    explicit answer(std::string text) : bytes(std::move(text))
    {
        auto const end = bytes.find("\r\n\r\n");
        REQUIRE(end != std::string::npos);
        REQUIRE(proxy::parse_response_head(std::string_view(bytes).substr(0, end + 4), proxy::answers::other, head) ==
                head_problem::none);
        body = std::string_view(bytes).substr(end + 4);
    }
    answer(answer const&) = delete;
    answer& operator=(answer const&) = delete;

    // All values of a field, joined by '|'.
    [[nodiscard]] std::string field(std::string_view name) const
    {
        std::string values;
        for (auto const& each : head.fields) {
            if (each.name == name) values.append(values.empty() ? "" : "|").append(each.value);
        }
        return values;
    }
    [[nodiscard]] nlohmann::json problem() const { return nlohmann::json::parse(body); }

    std::string bytes;
    proxy::response_head head;
    std::string_view body;
};

response_context context_of(conf::response_settings const& settings)
{
    return {.settings = settings,
            .date = date,
            .now_s = 784'111'777,
            .connection = persistence::keep_alive,
            .head_request = false,
            .origin = {}};
}

using maker = std::function<unsigned(std::string&, response_context const&)>;

std::string made(maker const& make, response_context const& context)
{
    std::string out = "what was there before";
    auto const status = make(out, context);
    CHECK(out.starts_with("HTTP/1.1 " + std::to_string(status) + " "));
    return out;
}

proxy::response_head upstream_answer(std::string_view bytes)
{
    proxy::response_head head;
    REQUIRE(proxy::parse_response_head(bytes, proxy::answers::other, head) == head_problem::none);
    return head;
}

std::string relay(std::string_view bytes, limit_report const& report, response_context const& context)
{
    std::string out;
    auto const head = upstream_answer(bytes);
    respond::relayed(out, context, head, report, head.body);
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

TEST_CASE("H1-11, H1-46, H1-71, H1-72: a relayed head keeps what is end-to-end; framing and connection are ours")
{
    conf::response_settings const settings;
    auto context = context_of(settings);
    std::string_view const from_upstream =
        "HTTP/1.1 299 Very Fine\r\nServer: s\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nConnection: X-Hop, keep-alive\r\n"
        "X-Hop: gone\r\nKeep-Alive: timeout=5\r\nTransfer-Encoding: chunked\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\n\r\n";
    answer const relayed(relay(from_upstream, {}, context));
    CHECK(relayed.bytes.starts_with("HTTP/1.1 299 Very Fine\r\n"));
    CHECK(relayed.field("Server") == "s");
    CHECK(relayed.field("Set-Cookie") == "a=1|b=2");
    CHECK(relayed.field("X-Hop").empty());
    CHECK(relayed.field("Keep-Alive").empty());
    CHECK(relayed.field("Connection").empty());
    CHECK(relayed.field("Transfer-Encoding") == "chunked");
    CHECK(relayed.field("Date") == "Mon, 01 Jan 2024 00:00:00 GMT");
    CHECK(relayed.field("RateLimit").empty());

    context.connection = persistence::close;
    answer const closing(relay("HTTP/1.0 200 OK\r\nContent-Length: 007\r\n\r\n", {}, context));
    CHECK(closing.bytes.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(closing.field("Content-Length") == "7");
    CHECK(closing.field("Date") == date); // RFC 9110 section 6.6.1
    CHECK(closing.field("Connection") == "close");
}

TEST_CASE("H1-59, H1-60: what frames the body of a relayed answer")
{
    using kind = proxy::body_framing::kind;
    struct row {
        std::string_view name;
        std::string_view head;
        proxy::body_framing framing;
        std::string_view length;
        std::string_view coding;
    };
    conf::response_settings const settings;
    for (auto const& r : {
             row{"length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", {kind::length, 5}, "5", ""},
             row{"chunked", "HTTP/1.1 200 OK\r\n\r\n", {kind::chunked, 0}, "", "chunked"},
             row{"until close", "HTTP/1.1 200 OK\r\n\r\n", {kind::until_close, 0}, "", ""},
             row{"HEAD says how long it would be", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", {}, "1000", ""},
             row{"304 too", "HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n", {}, "1000", ""},
             row{"204 never", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", {}, "", ""},
         }) {
        CAPTURE(r.name);
        std::string out;
        respond::relayed(out, context_of(settings), upstream_answer(r.head), {}, r.framing);
        answer const relayed(out);
        CHECK(relayed.field("Content-Length") == r.length);
        CHECK(relayed.field("Transfer-Encoding") == r.coding);
    }
}

TEST_CASE("RL-27, RL-28, RL-29, RL-30, RL-35, RL-58: limit fields of an upstream beside ours")
{
    rulings said;
    said.allowed(said.limit("gw", bucket(100, seconds(0.6))), 99, seconds(0.6));
    auto const report = report_limits(said.gate, 0, 0.0);
    conf::response_settings settings;
    auto const context = context_of(settings);
    std::string const ours = "\"gw\";r=99;t=60";
    auto const head = [](std::string_view lines) {
        return "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + std::string(lines) + "\r\n";
    };

    CHECK(answer(relay(head(""), report, context)).field("RateLimit") == ours);
    CHECK(answer(relay(head("RateLimit: \"app\";r=3;t=9\r\n"), report, context)).field("RateLimit") ==
          "\"app\";r=3;t=9|" + ours);
    CHECK(answer(relay(head("RateLimit: \"gw\";r=999;t=9\r\n"), report, context)).field("RateLimit") == ours);
    CHECK(answer(relay(head("RateLimit: garbage;;r=\r\n"), report, context)).field("RateLimit") == ours);
    CHECK(answer(relay(head("RateLimit: garbage\r\n"), {}, context)).field("RateLimit") ==
          "garbage");                                                                                // nothing of ours to spoil
    CHECK(answer(relay(head("Retry-After: 30\r\n"), report, context)).field("Retry-After") == "30"); // RL-74

    CHECK(answer(relay(head("Cache-Control: public, max-age=60\r\n"), report, context)).field("RateLimit").empty());
    CHECK(answer(relay(head("Cache-Control: private\r\n"), report, context)).field("RateLimit") == ours);

    answer const cors(relay(head("Access-Control-Allow-Origin: *\r\nAccess-Control-Expose-Headers: X-A\r\n"), report, context));
    CHECK(cors.field("Access-Control-Expose-Headers") == "X-A|" + std::string(exposed_fields));
    CHECK(answer(relay(head(""), report, context)).field("Access-Control-Expose-Headers").empty());

    settings.rate_limit_fields = {conf::field_style::x_ratelimit, conf::field_style::triple};
    auto const families =
        head("X-RateLimit-Remaining: 500\r\nRateLimit-Remaining: 500\r\nX-RateLimit-Resource: core\r\nX-RateLimits: 1\r\n");
    answer const single(relay(families, report, context));
    CHECK(single.field("X-RateLimit-Remaining") == "99");
    CHECK(single.field("RateLimit-Remaining") == "99");
    CHECK(single.field("X-RateLimits") == "1");

    settings.on_success = false;
    CHECK(answer(relay(head(""), report, context)).field("X-RateLimit-Remaining").empty());
}

TEST_CASE("H1-60, RFC 9110 section 7.8: interim answers carry no framing; 101 names what both switch to")
{
    std::string out;
    respond::interim(
        out,
        upstream_answer("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\n\r\n"));
    CHECK(out == "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    respond::interim(
        out,
        upstream_answer(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n"));
    CHECK(out ==
          "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
}
