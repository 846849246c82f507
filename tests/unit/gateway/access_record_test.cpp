#include "tests/unit/gateway/log_line.hpp"
#include "tests/unit/gateway/rulings.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <random>
#include <string>

using namespace penstock;
using namespace penstock::gateway;

TEST_CASE("OP-30, OP-32: a line tells what happened to a request")
{
    rulings said;
    auto& limit = said.limit("default", window(10, seconds(60)));
    auto& away = said.limit("fleet", window(10, seconds(60)));
    said.allowed(limit, 7, seconds(60)).unanswered(away, limiter::outcome::unanswered_allowed);
    limiter::claims asked;
    for (auto const* each : {&limit, &away}) {
        limiter::claim made{.policy = each, .key = {}, .cost = 1};
        made.key.append("rl:{ip=192.0.2.1}:" + each->name);
        asked.push_back(made);
    }
    proxy::route route;
    route.name = "products";
    base::request_facts facts;
    facts.method = "get";
    facts.host = "shop.example";
    facts.path = "/products/7";
    facts.client = base::ip_address::parse("198.51.100.7");
    facts.peer = base::ip_address::parse("192.0.2.1");
    access_record record;
    record.status = 200;
    record.request_bytes = 3;
    record.response_bytes = 5'000'000'000;
    record.route = &route;
    record.asked = &asked;
    record.gate = &said.gate;
    record.check_time = base::micros{42};
    record.queued = base::micros{250'999};
    record.upstream = "backend";
    record.server = "10.0.0.1:80";
    record.upstream_time = base::micros{1200};

    auto const line = parsed(line_of(record, facts));
    CHECK(line.at("@timestamp") == "1994-11-06T08:49:37.123Z");
    CHECK(line.at("event.duration") == 1'500'000); // nanoseconds
    CHECK(line.at("event.outcome") == "success");
    CHECK(line.at("http.request.method") == "get");
    CHECK(line.at("http.version") == "1.1");
    CHECK(line.at("url.domain") == "shop.example");
    CHECK(line.at("url.path") == "/products/7");
    CHECK(!line.contains("url.query"));
    CHECK(line.at("client.ip") == "198.51.100.7");
    CHECK(line.at("source.ip") == "192.0.2.1");
    CHECK(line.at("http.response.status_code") == 200);
    CHECK(line.at("http.request.bytes") == 3);
    CHECK(line.at("http.response.bytes") == 5'000'000'000);
    CHECK(line.at("penstock.route") == "products");
    CHECK(line.at("penstock.decision") == "allowed");
    CHECK(line.at("penstock.check_us") == 42);
    CHECK(line.at("penstock.queued_ms") == 250);
    CHECK(line.at("penstock.upstream") == "backend");
    CHECK(line.at("penstock.server") == "10.0.0.1:80");
    CHECK(line.at("penstock.upstream_us") == 1200);
    CHECK(!line.contains("error.type"));
    auto const& limits = line.at("penstock.limits");
    REQUIRE(limits.size() == 2);
    CHECK(limits[0] ==
          nlohmann::json{{"name", "default"}, {"decision", "allowed"}, {"key", "rl:{ip=192.0.2.1}:default"}, {"remaining", 7}});
    CHECK(limits[1].at("decision") == "unanswered_allowed");
    CHECK(!limits[1].contains("remaining"));
}

TEST_CASE("OP-32: what did not happen is left out, and a failure is named")
{
    access_record record;
    record.status = 502;
    record.failure = proxy::failure::kind::connect_refused;
    auto const line = parsed(line_of(record, {}));
    CHECK(line.at("event.outcome") == "failure");
    CHECK(line.at("error.type") == "connect_refused");
    CHECK(!line.contains("penstock.queued_ms"));
    for (auto const* absent :
         {"client.ip", "source.ip", "penstock.route", "penstock.decision", "penstock.limits", "penstock.upstream"}) {
        CAPTURE(absent);
        CHECK(!line.contains(absent));
    }
    record.status = 0; // the client left before an answer
    CHECK(parsed(line_of(record, {})).at("event.outcome") == "failure");
    record.status = 429;
    CHECK(parsed(line_of(record, {})).at("event.outcome") == "success");
}

TEST_CASE("a line tells why credentials were refused, who was denied, and whose key it was")
{
    access_record record;
    auto const plain = parsed(line_of(record, {}));
    for (auto const* absent : {"penstock.credentials", "penstock.denied_by", "penstock.api_key"})
        CHECK(!plain.contains(absent));
    record.credentials = credential_refusal::api_key_denied;
    record.denied = denied_by::api_key;
    record.api_key_name = "partner-a";
    auto const line = parsed(line_of(record, {}));
    CHECK(line.at("penstock.credentials") == "api_key_denied");
    CHECK(line.at("penstock.denied_by") == "api_key");
    CHECK(line.at("penstock.api_key") == "partner-a");
}

TEST_CASE("OP-30, OP-34: whatever bytes a request holds, its line is one line of JSON that holds them all")
{
    auto const seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937 random(seed);
    std::uniform_int_distribution<int> byte(0, 255);
    std::uniform_int_distribution<std::size_t> length(0, 40);
    auto const noise = [&] {
        std::string text(length(random), '\0');
        for (auto& c : text) c = static_cast<char>(byte(random));
        return text;
    };
    // Each byte stands for the character of the same number.
    auto const as_latin = [](std::string_view text) {
        std::u32string characters;
        for (auto const c : text) characters.push_back(static_cast<unsigned char>(c));
        std::string utf8;
        for (auto const c : characters) {
            if (c < 0x80)
                utf8.push_back(static_cast<char>(c));
            else
                utf8.append({static_cast<char>(0xc0 | (c >> 6)), static_cast<char>(0x80 | (c & 0x3f))});
        }
        return utf8;
    };
    for (int round = 0; round < 2000; ++round) {
        auto const method = noise();
        auto const host = noise();
        auto path = noise();
        for (auto& c : path)
            if (c == '=' || c == '@' || c == '%') c = '_'; // behind which something may be hidden
        auto const query = noise();
        auto const upstream = noise();
        auto const server = noise();
        base::request_facts facts;
        facts.method = method;
        facts.host = host;
        facts.path = path;
        facts.query = query;
        access_record record;
        record.upstream = upstream;
        record.server = server;
        auto const line = parsed(line_of(record, facts));
        CHECK(line.value("http.request.method", "") == as_latin(method));
        CHECK(line.value("url.domain", "") == as_latin(host));
        CHECK(line.value("url.path", "") == as_latin(path));
    }
}

TEST_CASE("a request that could not be read leaves out what is not known of it")
{
    base::request_facts facts;
    facts.peer = base::ip_address::parse("192.0.2.1");
    access_record record;
    record.status = 400;
    auto const line = parsed(line_of(record, facts));
    for (auto const* name : {"http.request.method", "http.version", "url.domain", "url.path", "url.query", "client.ip",
                             "penstock.route", "penstock.decision", "penstock.upstream", "error.type"}) {
        CAPTURE(name);
        CHECK(!line.contains(name));
    }
    CHECK(line.at("source.ip") == "192.0.2.1");
    CHECK(line.at("http.response.status_code") == 400);
}
