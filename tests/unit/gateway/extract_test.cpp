#include "gateway/extract.hpp"

#include <doctest/doctest.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

using namespace penstock;
using namespace penstock::gateway;

namespace {

struct request {
    std::string_view method = "GET";
    std::string_view target = "/";
    std::vector<base::field> fields = {{"Host", "example.com"}};
    unsigned minor_version = 1;
    std::optional<base::ip_address> peer = base::ip_address::parse("192.0.2.1");
};

// Keeps what the views of the facts point into.
struct reading {
    reading(request const& what, conf::settings const& settings)
    {
        head.method = what.method;
        head.target = what.target;
        head.minor_version = what.minor_version;
        head.fields = what.fields;
        result = extract(head, what.peer, settings, {path, host});
    }
    reading(reading const&) = delete;
    reading& operator=(reading const&) = delete;

    proxy::request_head head;
    std::string path;
    std::string host;
    extracted result;
};

extract_problem problem_of(request const& what, conf::settings const& settings = {})
{
    reading const read(what, settings);
    CHECK((read.result.problem == extract_problem::none) == read.result.why.empty());
    return read.result.problem;
}

conf::settings with_keys()
{
    conf::settings settings;
    settings.api_key_fields = {"x-api-key", "x-token"};
    settings.api_key_from_authorization = true;
    return settings;
}

} // namespace

TEST_CASE("H1-22, H1-23, H1-25, H1-121: host, path and query of every form of target")
{
    struct row {
        std::string_view name;
        std::string_view method;
        std::string_view target;
        std::string_view host;
        std::string_view path;
        std::string_view raw_path;
        std::string_view query;
    };
    for (auto const& r : {
             row{"origin form", "GET", "/a/b?c=d?e", "example.com", "/a/b", "/a/b", "c=d?e"},
             row{"root", "GET", "/", "example.com", "/", "/", ""},
             row{"empty query", "GET", "/a?", "example.com", "/a", "/a", ""},
             row{"path that is not normal", "GET", "/x/../%61?q", "example.com", "/a", "/x/../%61", "q"},
             row{"absolute form outweighs Host", "GET", "http://A.test:8080/x?y", "a.test", "/x", "/x", "y"},
             row{"absolute form without a path", "GET", "HTTPS://a.test", "a.test", "/", "/", ""},
             row{"absolute form with a query only", "GET", "http://a.test?q=1", "a.test", "/", "/", "q=1"},
             row{"asterisk form", "OPTIONS", "*", "example.com", "/", "/", ""},
         }) {
        CAPTURE(r.name);
        reading const read({.method = r.method, .target = r.target}, {});
        REQUIRE(read.result.problem == extract_problem::none);
        CHECK(read.result.facts.host == r.host);
        CHECK(read.result.facts.path == r.path);
        CHECK(read.result.raw_path == r.raw_path);
        CHECK(read.result.facts.query == r.query);
        CHECK(read.result.facts.method == r.method);
        CHECK(read.result.asterisk == (r.target == "*"));
    }
}

TEST_CASE("H1-22..H1-25, H1-123: targets that are refused")
{
    struct row {
        std::string_view name;
        std::string_view method;
        std::string_view target;
        extract_problem problem;
    };
    using enum extract_problem;
    for (auto const& r : {
             row{"no slash", "GET", "foo", bad_target},
             row{"asterisk with GET", "GET", "*", bad_target},
             row{"fragment", "GET", "/a#b", bad_target},
             row{"fragment in the query", "GET", "/a?b#c", bad_target},
             row{"byte above ASCII", "GET", "/\x80", bad_target},
             row{"byte above ASCII in the query", "GET", "/?\xc3\xa9", bad_target},
             row{"control character", "GET", "/\x01", bad_target},
             row{"another scheme", "GET", "ftp://a/", bad_target},
             row{"no authority", "GET", "http:///x", bad_target},
             row{"authority form", "GET", "a.test:443", bad_target},
             row{"empty", "GET", "", bad_target},
             row{"user in the authority", "GET", "http://u@a.test/", bad_host},
             row{"bad port in the authority", "GET", "http://a.test:99999/", bad_host},
             row{"backslash", "GET", "/a\\b", bad_path},
             row{"escaped slash", "GET", "/a%2Fb", bad_path},
             row{"escaped NUL", "GET", "/a%00", bad_path},
             row{"above the root", "GET", "/../a", bad_path},
         }) {
        CAPTURE(r.name);
        CHECK(problem_of({.method = r.method, .target = r.target}) == r.problem);
    }
}

TEST_CASE("H1-20, H1-21: the value of Host is a host with an optional port")
{
    struct row {
        std::string_view value;
        extract_problem problem;
        std::string_view host;
    };
    using enum extract_problem;
    for (auto const& r : {
             row{"Example.COM", none, "example.com"},
             row{"example.com:8080", none, "example.com"},
             row{"example.com.", none, "example.com"},
             row{"[2001:DB8::1]:80", none, "[2001:db8::1]"},
             row{"", bad_host, ""},
             row{"a, b", bad_host, ""},
             row{"u@h", bad_host, ""},
             row{"h/p", bad_host, ""},
             row{"h:abc", bad_host, ""},
             row{"h:99999", bad_host, ""},
             row{"a b", bad_host, ""},
         }) {
        CAPTURE(r.value);
        reading const read({.fields = {{"Host", r.value}}}, {});
        CHECK(read.result.problem == r.problem);
        if (r.problem == none) CHECK(read.result.facts.host == r.host);
        if (r.problem == none) CHECK(read.result.authority == r.value);
    }
    CHECK(problem_of({.fields = {}, .minor_version = 0}) == none);
    CHECK(problem_of({.fields = {}, .minor_version = 1}) == bad_host);
}

TEST_CASE("AK-1, AK-3, H1-9: the API key is read where the configuration says, and only there")
{
    struct row {
        std::string_view name;
        base::field field;
        std::string_view key;
    };
    for (auto const& r : {
             row{"configured field", {"X-API-Key", "s3cr3t"}, "s3cr3t"},
             row{"the other configured field", {"X-Token", "t"}, "t"},
             row{"another field", {"X-Other-Key", "s3cr3t"}, ""},
             row{"Authorization", {"Authorization", "ApiKey s3cr3t"}, "s3cr3t"},
             row{"scheme in any case", {"authorization", "APIKEY s3cr3t"}, "s3cr3t"},
             row{"credentials keep their case", {"Authorization", "ApiKey S3CR3T"}, "S3CR3T"},
             row{"two spaces", {"Authorization", "ApiKey  s3cr3t"}, "s3cr3t"},
             row{"another scheme", {"Authorization", "Bearer s3cr3t"}, ""},
             row{"scheme that only begins alike", {"Authorization", "ApiKeys s3cr3t"}, ""},
             row{"scheme alone", {"Authorization", "ApiKey"}, ""},
         }) {
        CAPTURE(r.name);
        auto const settings = with_keys();
        request const what{.fields = {{"Host", "x"}, r.field}};
        reading const read(what, settings);
        CHECK(read.result.problem == extract_problem::none);
        CHECK(read.result.facts.api_key == r.key);
        reading const unconfigured(what, {});
        CHECK(unconfigured.result.problem == extract_problem::none);
        CHECK(unconfigured.result.facts.api_key.empty());
    }
    reading const in_query({.target = "/?api_key=s3cr3t"}, with_keys());
    CHECK(in_query.result.facts.api_key.empty());
}

TEST_CASE("AK-2, AK-7: keys that leave a choice or are no keys are refused")
{
    using enum extract_problem;
    std::string const longest(512, 'k');
    std::string const longer(513, 'k');
    struct row {
        std::string_view name;
        std::vector<base::field> fields;
        extract_problem problem;
    };
    for (auto const& r : std::vector<row>{
             {"twice the same", {{"X-API-Key", "a"}, {"X-API-Key", "a"}}, ambiguous_api_key},
             {"in two fields", {{"X-API-Key", "a"}, {"X-Token", "b"}}, ambiguous_api_key},
             {"field and Authorization", {{"X-API-Key", "a"}, {"Authorization", "ApiKey a"}}, ambiguous_api_key},
             {"two Authorization lines", {{"Authorization", "ApiKey a"}, {"Authorization", "ApiKey b"}}, ambiguous_api_key},
             {"empty and another", {{"X-API-Key", ""}, {"X-API-Key", "b"}}, ambiguous_api_key},
             {"field and another scheme", {{"X-API-Key", "a"}, {"Authorization", "Bearer b"}}, none},
             {"empty", {{"X-API-Key", ""}}, bad_api_key},
             {"blank inside", {{"X-API-Key", "a b"}}, bad_api_key},
             {"tab inside", {{"X-API-Key", "a\tb"}}, bad_api_key},
             {"above ASCII", {{"X-API-Key", "\xc3\xa9"}}, bad_api_key},
             {"longest", {{"X-API-Key", longest}}, none},
             {"longer", {{"X-API-Key", longer}}, bad_api_key},
         }) {
        CAPTURE(r.name);
        auto fields = r.fields;
        fields.push_back({"Host", "x"});
        CHECK(problem_of({.fields = fields}, with_keys()) == r.problem);
    }
}

TEST_CASE("H1-27: Max-Forwards counts for OPTIONS only, and is one number")
{
    auto const read = [](std::string_view method, std::vector<base::field> fields) {
        fields.push_back({"Host", "x"});
        reading const what({.method = method, .fields = fields}, {});
        CHECK((what.result.problem == extract_problem::none || what.result.problem == extract_problem::bad_max_forwards));
        return what.result.problem == extract_problem::none ? what.result.max_forwards : std::optional<unsigned>{999};
    };
    CHECK(!read("OPTIONS", {}));
    CHECK(read("OPTIONS", {{"Max-Forwards", "0"}}) == 0U);
    CHECK(read("OPTIONS", {{"max-forwards", "5"}}) == 5U);
    for (std::string_view const wrong : {"", "-1", "+1", "five", "5 ", "1,2", "99999999999"}) {
        CAPTURE(wrong);
        CHECK(read("OPTIONS", {{"Max-Forwards", wrong}}) == 999U);
        CHECK(!read("GET", {{"Max-Forwards", wrong}}));
    }
    CHECK(read("OPTIONS", {{"Max-Forwards", "5"}, {"Max-Forwards", "5"}}) == 999U);
}

TEST_CASE("IP-1, IP-6, IP-14: the client's address comes from the peer, or from the chain of a trusted one")
{
    conf::settings settings;
    request const chained{.fields = {{"Host", "x"}, {"X-Forwarded-For", "198.51.100.7"}}};
    reading const untrusted(chained, settings);
    CHECK(untrusted.result.facts.peer == base::ip_address::parse("192.0.2.1"));
    CHECK(untrusted.result.facts.client == base::ip_address::parse("192.0.2.1"));
    CHECK(untrusted.result.trust == proxy::peer_trust::untrusted);

    settings.client.source = partition::address_source::x_forwarded_for;
    settings.client.trusted_proxies = {base::ip_network::parse("192.0.2.0/24").value()};
    reading const trusted(chained, settings);
    CHECK(trusted.result.facts.client == base::ip_address::parse("198.51.100.7"));
    CHECK(trusted.result.trust == proxy::peer_trust::trusted);
    CHECK(!trusted.result.rejected_element);
    reading const garbage({.fields = {{"Host", "x"}, {"X-Forwarded-For", "garbage"}}}, settings);
    CHECK(garbage.result.rejected_element);
    CHECK(garbage.result.problem == extract_problem::none);
}

TEST_CASE("AK-12: where keys are known, any other is refused and a known one brings its attributes")
{
    auto settings = with_keys();
    // SHA-256 of `foo`
    std::array<std::uint8_t, 32> const foo{0x2c, 0x26, 0xb4, 0x6b, 0x68, 0xff, 0xc6, 0x8f, 0xf9, 0x9b, 0x45,
                                           0x3c, 0x1d, 0x30, 0x41, 0x34, 0x13, 0x42, 0x2d, 0x70, 0x64, 0x83,
                                           0xbf, 0xa0, 0xf9, 0x8a, 0x5e, 0x88, 0x62, 0x66, 0xe7, 0xae};
    std::vector<conf::known_api_key> keys;
    keys.push_back({"first", foo, {{"plan", "gold"}}});
    settings.known_api_keys = std::make_shared<conf::api_key_book const>(std::move(keys));

    reading const known({.fields = {{"Host", "a"}, {"X-API-Key", "foo"}}}, settings);
    CHECK(known.result.problem == extract_problem::none);
    REQUIRE(known.result.facts.api_key_attributes.size() == 1);
    CHECK(known.result.facts.api_key_attributes[0].value == "gold");
    CHECK(problem_of({.fields = {{"Host", "a"}, {"X-API-Key", "fox"}}}, settings) == extract_problem::unknown_api_key);
    CHECK(problem_of({.fields = {{"Host", "a"}}}, settings) == extract_problem::none);
    CHECK(problem_of({.fields = {{"Host", "a"}, {"X-API-Key", ""}}}, settings) == extract_problem::bad_api_key);
}

TEST_CASE("only a trusted peer's fields may be believed")
{
    conf::settings settings;
    settings.client.trusted_proxies = {base::ip_network::parse("192.0.2.0/24").value()};
    reading const trusted({}, settings);
    CHECK(trusted.result.facts.from_trusted_peer);
    reading const stranger({.peer = base::ip_address::parse("198.51.100.1")}, settings);
    CHECK(!stranger.result.facts.from_trusted_peer);
}
