#include "partition/keyed_hasher.hpp"
#include "partition/partition_key.hpp"
#include "tests/unit/partition/identified_request.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace penstock;
using namespace penstock::identified;
using partition::descriptor;
using partition::entry;
using partition::entry_source;
using partition::partition_key;

namespace {

std::string of_client(std::string_view address, entry const& what)
{
    request r;
    r.facts.client = base::ip_address::parse(address);
    return identity({what}, r.facts);
}

bool is_hashed(std::string_view text, std::string_view before)
{
    return text.starts_with(before) && text.size() == before.size() + 33 && text.ends_with('}') &&
           text.substr(before.size(), 32).find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

} // namespace

TEST_CASE("AK-11: an identity is readable where it is no credential")
{
    request const r;
    CHECK(identity({one(entry_source::client_ip)}, r.facts) == "{ip=203.0.113.9}");
    CHECK(identity({one(entry_source::client_network, {}, 24)}, r.facts) == "{net=203.0.113.0/24}");
    CHECK(identity({one(entry_source::header, "x-tenant")}, r.facts) == "{header.x-tenant=acme}");
    CHECK(identity({one(entry_source::method)}, r.facts) == "{method=GET}");
    CHECK(identity({one(entry_source::host)}, r.facts) == "{host=example.com}");
    CHECK(identity({one(entry_source::path)}, r.facts) == "{path=/api/products}");
    CHECK(identity({one(entry_source::path_capture, "id")}, r.facts) == "{path.id=7}");
    CHECK(identity({one(entry_source::route)}, r.facts) == "{route=products}");
    CHECK(identity({one(entry_source::everyone)}, r.facts) == "{everyone}");
    CHECK(identity({one(entry_source::everyone), one(entry_source::method), one(entry_source::route)}, r.facts) ==
          "{everyone,method=GET,route=products}");
}

TEST_CASE("IP-8, IP-10, IP-11, IP-12: the client's address, IPv6 to its prefix")
{
    auto const ip = one(entry_source::client_ip);
    CHECK(of_client("2001:db8:1:2::1", ip) == "{ip=2001:db8:1:2::/64}");
    CHECK(of_client("2001:db8:1:2::ffff", ip) == "{ip=2001:db8:1:2::/64}");
    CHECK(of_client("2001:db8:1:3::1", ip) == "{ip=2001:db8:1:3::/64}");
    CHECK(of_client("2001:db8::1", one(entry_source::client_ip, {}, 128)) == "{ip=2001:db8::1}");
    CHECK(of_client("2001:db8:1:2ff::1", one(entry_source::client_ip, {}, 56)) == "{ip=2001:db8:1:200::/56}");
    CHECK(of_client("::ffff:1.2.3.4", ip) == "{ip=1.2.3.4}");
    CHECK(of_client("::ffff:102:304", ip) == "{ip=1.2.3.4}");
    CHECK(of_client("2001:db8:1234:5678::1.2.3.4", ip) == "{ip=2001:db8:1234:5678::/64}");
    CHECK(of_client("64:ff9b::1.2.3.4", ip) != of_client("::5.6.7.8", ip));

    auto network = one(entry_source::client_network, {}, 16);
    network.ipv6_prefix = 48;
    CHECK(of_client("10.1.2.3", network) == "{net=10.1.0.0/16}");
    CHECK(of_client("2001:db8:1:2::1", network) == "{net=2001:db8:1::/48}");
    CHECK(of_client("10.1.2.3", one(entry_source::client_network, {}, 32)) == "{net=10.1.2.3}");
}

TEST_CASE("IP-11: an address of NAT64 is not cut shorter than the IPv4 address in it would be")
{
    auto const ip = one(entry_source::client_ip);
    auto const network = one(entry_source::client_network, {}, 24);
    CHECK(of_client("64:ff9b::1.2.3.4", ip) == "{ip=64:ff9b::102:304}");
    CHECK(of_client("64:ff9b::1.2.3.4", ip) != of_client("64:ff9b::1.2.3.5", ip));
    CHECK(of_client("64:ff9b::1.2.3.4", ip) != of_client("::5.6.7.8", ip));
    CHECK(of_client("64:ff9b::1.2.3.4", ip) != of_client("1.2.3.4", ip));
    CHECK(of_client("64:ff9b::1.2.3.4", network) == "{net=64:ff9b::102:300/120}");
    CHECK(of_client("64:ff9b:1::1.2.3.4", ip) == "{ip=64:ff9b:1::/64}"); // the local-use prefix is a network like others
    CHECK(of_client("64:ff9b::1:1.2.3.4", ip) == "{ip=64:ff9b::/64}");
    CHECK(of_client("2002:102:304::1", ip) == "{ip=2002:102:304::/64}"); // 6to4
    CHECK(of_client("2001:0:1::1", ip) == "{ip=2001:0:1::/64}");         // Teredo
}

TEST_CASE("IP-12: a network key has a prefix for IPv4 and one for IPv6")
{
    auto wide = one(entry_source::client_network, {}, 24);
    wide.ipv6_prefix = 48;
    CHECK(of_client("2001:db8:1:2::1", wide) == "{net=2001:db8:1::/48}");
    CHECK(of_client("2001:db8:1:2::1", wide) == of_client("2001:db8:1:3::1", wide));
    CHECK(of_client("2001:db8:1:2::1", wide) != of_client("2001:db8:2:2::1", wide));
    CHECK(of_client("198.51.100.7", wide) == "{net=198.51.100.0/24}");
    CHECK(of_client("::ffff:198.51.100.9", wide) == of_client("198.51.100.7", wide));
}

TEST_CASE("IP-18: callers without an address share a key of their own, and lack none")
{
    request r;
    r.facts.client.reset();
    CHECK(identity({one(entry_source::client_ip)}, r.facts) == "{ip=unix}");
    CHECK(identity({one(entry_source::client_network, {}, 24)}, r.facts) == "{net=unix}");
}

TEST_CASE("AK-5: credentials are hashed, and so is whatever may be one by its name")
{
    request r;
    r.facts.query = "q=1&access_token=s3cr3t&sig=s3cr3t";
    r.fields.push_back({"Cookie", "theme=dark; sid=s3cr3t"});
    r.fields.push_back({"Authorization", "Bearer s3cr3t"});
    r.fields.push_back({"X-My-Session", "s3cr3t"});
    r.use();
    CHECK(is_hashed(identity({one(entry_source::api_key)}, r.facts), "{key="));
    CHECK(is_hashed(identity({one(entry_source::cookie, "sid")}, r.facts), "{cookie.sid="));
    CHECK(is_hashed(identity({one(entry_source::cookie, "theme")}, r.facts), "{cookie.theme="));
    CHECK(is_hashed(identity({one(entry_source::header, "authorization")}, r.facts), "{header.authorization="));
    CHECK(is_hashed(identity({one(entry_source::header, "x-my-session")}, r.facts), "{header.x-my-session="));
    CHECK(is_hashed(identity({one(entry_source::query, "access_token")}, r.facts), "{query.access_token="));
    CHECK(is_hashed(identity({one(entry_source::query, "sig")}, r.facts), "{query.sig="));
    CHECK(is_hashed(identity({one(entry_source::path_capture, "token")}, r.facts), "{path.token="));
}

TEST_CASE("AK-5: what names the log hides, a key hides, and what it is told to hide")
{
    request r;
    r.facts.query = "code=s3cr3t&otp=s3cr3t&pw=s3cr3t&pin=s3cr3t&reset_code=s3cr3t&k=s3cr3t";
    r.fields.push_back({"X-HMAC", "s3cr3t"});
    r.captures.push_back({"code", "s3cr3t"});
    r.use();
    for (auto const* name : {"code", "otp", "pw", "pin", "reset_code"}) {
        CAPTURE(name);
        CHECK(is_hashed(identity({one(entry_source::query, name)}, r.facts), "{query." + std::string{name} + '='));
    }
    CHECK(is_hashed(identity({one(entry_source::header, "x-hmac")}, r.facts), "{header.x-hmac="));
    CHECK(is_hashed(identity({one(entry_source::path_capture, "code")}, r.facts), "{path.code="));

    auto told = one(entry_source::query, "k");
    CHECK(identity({told}, r.facts) == "{query.k=s3cr3t}");
    told.value = partition::hiding::hashed;
    CHECK(is_hashed(identity({told}, r.facts), "{query.k="));
    CHECK(partition::is_hidden(told));
}

TEST_CASE("AK-5: a presented key is found again by its keyed hash alone, and another secret gives another key")
{
    request const r;
    auto const text = identity({one(entry_source::api_key)}, r.facts);
    std::string expected = "{key=";
    partition::keyed_hasher hasher{secret};
    hasher.update(r.facts.api_key);
    for (auto const byte : hasher.finish()) {
        expected += "0123456789abcdef"[byte >> 4];
        expected += "0123456789abcdef"[byte & 15];
    }
    CHECK(text == expected + '}');

    partition_key other;
    CHECK(partition::append_identity(other, {one(entry_source::api_key)}, r.facts, partition::hash_secret{{9}}));
    CHECK(other.view() != text);
}

TEST_CASE("AK-11: no value can close the identity, begin another entry or choose a slot")
{
    auto const tenant = one(entry_source::header, "x-tenant");
    CHECK(of_fields({{"X-Tenant", "{x}"}}, tenant) == "{header.x-tenant=%7Bx%7D}");
    CHECK(of_fields({{"X-Tenant", "a,b=c%"}}, tenant) == "{header.x-tenant=a%2Cb%3Dc%25}");
    CHECK(of_fields({{"X-Tenant", "a b\t\xC3\xA9"}}, tenant) == "{header.x-tenant=a%20b%09%C3%A9}");

    descriptor const both{one(entry_source::header, "a"), one(entry_source::header, "b")};
    request left, right;
    left.fields = {{"a", "a|b"}, {"b", "c"}};
    right.fields = {{"a", "a"}, {"b", "b|c"}};
    left.use();
    right.use();
    CHECK(identity(both, left.facts) != identity(both, right.facts));
}

TEST_CASE("AK-11: an identity of more than 64 bytes is a hash of the whole of it")
{
    auto const tenant = one(entry_source::header, "x-tenant"); // `header.x-tenant=` is 16 bytes
    auto const fits = std::string(48, 'a');
    CHECK(of_fields({{"X-Tenant", fits}}, tenant) == "{header.x-tenant=" + fits + "}");
    auto const longer = of_fields({{"X-Tenant", fits + 'a'}}, tenant);
    CHECK(is_hashed(longer, "{h="));
    CHECK(longer != of_fields({{"X-Tenant", fits + 'b'}}, tenant));
    CHECK(longer != of_fields({{"X-Tenant", fits + "aa"}}, tenant));
    CHECK(longer == of_fields({{"X-Tenant", fits + 'a'}}, tenant));
    CHECK(is_hashed(of_fields({{"X-Tenant", std::string(16'000, '{')}}, tenant), "{h="));
}

TEST_CASE("AK-8: what the request lacks makes no key, and leaves the key unchanged")
{
    request r;
    r.facts.api_key = {};
    r.facts.route = {};
    for (auto const& what :
         {one(entry_source::api_key), one(entry_source::route), one(entry_source::header, "x-none"),
          one(entry_source::cookie, "x"), one(entry_source::query, "x"), one(entry_source::path_capture, "x")}) {
        CAPTURE(static_cast<int>(what.source));
        partition_key key;
        key.append("rl:");
        CHECK_FALSE(partition::append_identity(key, {one(entry_source::method), what}, r.facts, secret));
        CHECK(key.view() == "rl:");
    }
}

TEST_CASE("AK-8: requests without a host lack no key by it, they share one that no host has")
{
    request r;
    r.facts.host = {};
    CHECK(identity({one(entry_source::host)}, r.facts) == "{host=}");
    auto const without = identity({one(entry_source::method), one(entry_source::host)}, r.facts);
    CHECK(without == "{method=GET,host=}");
    r.facts.host = "%00";
    CHECK(identity({one(entry_source::method), one(entry_source::host)}, r.facts) != without);
}

TEST_CASE("an attribute of a known API key counts by its value, apart from the key itself")
{
    std::vector<base::field> const attributes{{"plan", "gold"}, {"token", "t"}};
    request r;
    r.facts.api_key_attributes = attributes;
    CHECK(identity({one(entry_source::api_key_attribute, "plan")}, r.facts) == "{key.plan=gold}");
    CHECK(is_hashed(identity({one(entry_source::api_key_attribute, "token")}, r.facts), "{key.token="));
    partition_key key;
    CHECK_FALSE(partition::append_identity(key, {one(entry_source::api_key_attribute, "owner")}, r.facts, secret));
}

TEST_CASE("AK-38: a claim counts with its issuer, and nothing that either says can make it another's")
{
    auto const of = [](std::string_view issuer, std::string_view claim, std::string_view value,
                       std::string_view asked = "sub") {
        std::vector<base::field> const claims{{claim, value}};
        request r;
        r.facts.token_issuer = issuer;
        r.facts.token_claims = claims;
        return identity({one(entry_source::jwt_claim, std::string{asked})}, r.facts);
    };
    CHECK(of("https://id.example.com/", "sub", "acme") == "{jwt.sub=https://id.example.com/|acme}");
    CHECK(of("https://id.example.com", "sub", "/acme") != of("https://id.example.com/", "sub", "acme"));
    CHECK(of("a", "sub", "b|c") == "{jwt.sub=a|b%7Cc}");
    CHECK(of("a|b", "sub", "c") == "{jwt.sub=a%7Cb|c}");
    CHECK(of("a", "sub", "{b}") == "{jwt.sub=a|%7Bb%7D}");
    CHECK(of("a", "plan", "x") == "missing");
    CHECK(is_hashed(of("a", "session", "x", "session"), "{jwt.session="));
    CHECK(is_hashed(of("https://a-long-name.example.com/realms/somewhere/", "sub", "c2f1cbb8-0b1c-4a27-92a9"), "{h="));
    CHECK(of("a", "realm.tenant", "7", "realm.tenant") == "{jwt.realm.tenant=a|7}");
}

TEST_CASE("AK-38: claims that count together are of one token, and the first says whose")
{
    auto const both = [](std::string_view issuer, std::string_view user, std::string_view tenant,
                         std::string_view plan = "gold") {
        std::vector<base::field> const claims{{"session", "s"}, {"sub", user}, {"tenant", tenant}};
        std::vector<base::field> const fields{{"X-Plan", plan}};
        request r;
        r.facts.token_issuer = issuer;
        r.facts.token_claims = claims;
        r.facts.fields = fields;
        return identity(
            {one(entry_source::header, "x-plan"), one(entry_source::jwt_claim, "sub"), one(entry_source::jwt_claim, "tenant")},
            r.facts);
    };
    CHECK(both("a", "jane", "acme") == "{header.x-plan=gold,jwt.sub=a|jane,jwt.tenant=acme}");
    CHECK(both("a", "jane", "b|acme") == "{header.x-plan=gold,jwt.sub=a|jane,jwt.tenant=b%7Cacme}");
    CHECK(both("a", "b,jwt.tenant=c", "d") == "{header.x-plan=gold,jwt.sub=a|b%2Cjwt.tenant%3Dc,jwt.tenant=d}");

    // A hidden first claim hides the issuer with it, and is another one for another issuer.
    std::vector<base::field> const claims{{"session", "s"}, {"tenant", "acme"}};
    request r;
    r.facts.token_claims = claims;
    descriptor const hidden{one(entry_source::jwt_claim, "session"), one(entry_source::jwt_claim, "tenant")};
    r.facts.token_issuer = "a";
    auto const of_a = identity(hidden, r.facts);
    r.facts.token_issuer = "b";
    auto const of_b = identity(hidden, r.facts);
    CHECK(of_a.starts_with("{jwt.session="));
    CHECK(of_a.ends_with(",jwt.tenant=acme}"));
    CHECK(of_a != of_b);
}
