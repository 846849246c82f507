#include "gateway/relayed_head.hpp"

#include "gateway/answer_body.hpp"
#include "tests/unit/gateway/answers.hpp"
#include "tests/unit/gateway/rulings.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace penstock;
using namespace penstock::gateway;
using proxy::head_problem;

namespace {

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
