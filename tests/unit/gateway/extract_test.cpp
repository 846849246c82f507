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
    connected_peer peer{.address = base::ip_address::parse("192.0.2.1")};
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

TEST_CASE("only a trusted peer's fields may be believed")
{
    conf::settings settings;
    settings.client.trusted_proxies = {base::ip_network::parse("192.0.2.0/24").value()};
    reading const trusted({}, settings);
    CHECK(trusted.result.facts.from_trusted_peer);
    reading const stranger({.peer = {.address = base::ip_address::parse("198.51.100.1")}}, settings);
    CHECK(!stranger.result.facts.from_trusted_peer);
}

TEST_CASE("IP-34, IP-36, IP-37: behind a PROXY header that names nobody the peer is the client, whatever its fields say")
{
    using partition::address_source;
    struct row {
        std::string_view name;
        address_source source;
        unsigned trusted_hops = 0;
        std::string_view field;
        std::string_view value;
    };
    for (auto const& r : {
             row{"a chain", address_source::x_forwarded_for, 0, "X-Forwarded-For", "6.6.6.6"},
             row{"a chain by hops", address_source::x_forwarded_for, 1, "X-Forwarded-For", "6.6.6.6"},
             row{"Forwarded", address_source::forwarded, 0, "Forwarded", "for=6.6.6.6;proto=https;host=evil.example"},
             row{"one address", address_source::single_field, 0, "X-Real-IP", "6.6.6.6"},
             row{"garbage", address_source::x_forwarded_for, 0, "X-Forwarded-For", "garbage"},
             row{"the peer", address_source::peer, 0, "X-Forwarded-For", "6.6.6.6"},
         }) {
        CAPTURE(r.name);
        conf::settings settings;
        settings.client.source = r.source;
        settings.client.field = "x-real-ip";
        settings.client.trusted_hops = r.trusted_hops;
        settings.client.trusted_proxies = {base::ip_network::parse("192.0.2.0/24").value()};
        request what{.fields = {{"Host", "x"}, {r.field, r.value}}};

        what.peer.is_anonymous = true;
        reading const anonymous(what, settings);
        CHECK(anonymous.result.facts.client == what.peer.address);
        CHECK(anonymous.result.facts.peer == what.peer.address);
        CHECK(!anonymous.result.facts.from_trusted_peer);
        CHECK(anonymous.result.trust == proxy::peer_trust::untrusted);
        CHECK(!anonymous.result.rejected_element);
        CHECK(anonymous.result.forwarded_host.empty());

        what.peer.address.reset(); // a unix socket
        reading const on_unix_socket(what, settings);
        CHECK(!on_unix_socket.result.facts.client);
        CHECK(!on_unix_socket.result.facts.from_trusted_peer);
    }
}
