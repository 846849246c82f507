// What a line of the access log hides of what a request holds.
#include "tests/unit/gateway/log_line.hpp"
#include "tests/unit/gateway/rulings.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

using namespace penstock;
using namespace penstock::gateway;

namespace {

std::string logged_path(std::string_view path, std::vector<base::path_capture> const& captures = {})
{
    base::request_facts facts;
    facts.path = path;
    facts.captures = captures;
    return parsed(line_of({}, facts)).at("url.path");
}

std::string logged_key(std::vector<partition::entry> const& entries, std::string_view key,
                       std::vector<base::path_capture> const& captures)
{
    static std::vector<conf::credential_source> const sources{{conf::credential_source::place::query, "my_own"}};
    rulings said;
    auto& limit = said.limit("a", window(10, seconds(60)));
    limit.key = entries;
    said.allowed(limit, 7, seconds(60));
    limiter::claims asked;
    asked.push_back({.policy = &limit, .key = {}, .cost = 1});
    asked.back().key.append(key);
    access_record record;
    record.asked = &asked;
    record.gate = &said.gate;
    record.api_key_sources = sources;
    base::request_facts facts;
    facts.captures = captures;
    return parsed(line_of(record, facts)).at("penstock.limits")[0].at("key");
}

// What the query looks like in the log.
std::string logged_query(std::string_view query)
{
    base::request_facts facts;
    facts.query = query;
    auto const line = parsed(line_of({}, facts));
    return line.contains("url.query") ? line.at("url.query").get<std::string>() : "absent";
}

} // namespace

TEST_CASE("OP-33, AK-4: values of parameters that carry credentials are not shown")
{
    struct row {
        std::string_view query;
        std::string_view logged;
    };
    for (auto const& r : {
             row{"", "absent"},
             row{"a=b&c=d", "a=b&c=d"},
             row{"api_key=s3cr3t", "api_key=REDACTED"},
             row{"a=b&API_KEY=s3cr3t&c", "a=b&API_KEY=REDACTED&c"},
             row{"access_token=s3cr3t=&sig=s3cr3t", "access_token=REDACTED&sig=REDACTED"},
             row{"token=s3cr3t&key=s3cr3t&password=s3cr3t&secret=s3cr3t&signature=s3cr3t&apikey=s3cr3t",
                 "token=REDACTED&key=REDACTED&password=REDACTED&secret=REDACTED&signature=REDACTED&apikey=REDACTED"},
             row{"api%5Fkey=s3cr3t", "api%5Fkey=REDACTED"},
             row{"token=", "token=REDACTED"},
             row{"a=1;token=s3cr3t", "a=1;token=REDACTED"},
             row{"a=1;token=s3cr3t;b=2&c=3", "a=1;token=REDACTED&c=3"}, // the semicolon may belong to the secret
             row{"token=x;s3cr3t;key=s3cr3t", "token=REDACTED"},
             row{"a;b;c=d", "a;b;c=d"},
             row{"token", "token"},
             row{"auth_token=s3cr3t&client_secret=s3cr3t&refresh_token=s3cr3t&Id_Token=s3cr3t",
                 "auth_token=REDACTED&client_secret=REDACTED&refresh_token=REDACTED&Id_Token=REDACTED"},
             row{"monkey=fine&author=fine&X-Api-Key=s3cr3t", "monkey=fine&author=fine&X-Api-Key=REDACTED"}, // by whole words
             row{"a=/x?token=s3cr3t&b=c", "a=/x?token=REDACTED&b=c"}, // a query within a query
             row{"?a=b?c=d", "?a=b?c=d"},
             row{"a=b;sig=s3cr3t;c=d", "a=b;sig=REDACTED"},
             row{"&&=x&", "&&=x&"},
             row{"url=https%3A%2F%2Fx%2F%3Ftoken%3Ds3cr3t%26a%3Db&c=d", "url=https%3A%2F%2Fx%2F%3Ftoken%3DREDACTED&c=d"},
             row{"url=%2Fx%253Fpw%253Ds3cr3t", "url=%2Fx%253Fpw%253DREDACTED"}, // escaped twice
             row{"url=%2Fx%3fapi%5fkey%3ds3cr3t", "url=%2Fx%3fapi%5fkey%3dREDACTED"},
             row{"url=%2Fx%3Fpage%3D2%26sort%3Dasc", "url=%2Fx%3Fpage%3D2%26sort%3Dasc"},
             row{"next=/cb%23access_token=s3cr3t", "next=/cb%23access_token=REDACTED"},
             row{"token%3Ds3cr3t", "token%3DREDACTED"},
             row{"x=y,token=s3cr3t", "x=y,token=REDACTED"},
             row{"a=b==&c=%&d=%2&e=%zz=&f=100%25", "a=b==&c=%&d=%2&e=%zz=&f=100%25"},
             row{"url=https://u:s3cr3t@h/x&c=d", "url=https://REDACTED&c=d"}, // who is named in front of a host
             row{"url=https%3A%2F%2Fs3cr3t%40h%2F", "url=https%3A%2F%2FREDACTED"},
             row{"url=https%253A%252F%252Fu%253As3cr3t%2540h", "url=https%253A%252F%252FREDACTED"},
             row{"url=//u:s3cr3t@h", "url=//REDACTED"},
             row{"url=redis://:s3cr3t=;x@h?token=s3cr3t", "url=redis://REDACTED"},
             row{R"(json={"u":"https:\/\/u:s3cr3t@h"})", R"(json={"u":"https:\/\/REDACTED)"},
             row{"url=https://u=s3cr3t@h;url=x", "url=https://REDACTED"},
             row{"url=https://h/@user&b=a@b&c=/d@e&f=x?//g", "url=https://h/@user&b=a@b&c=/d@e&f=x?//g"},
             row{"url=https://h?a@b&url=https://h%23a@b&url=https://h%3Fa@b",
                 "url=https://h?a@b&url=https://h%23a@b&url=https://h%3Fa@b"},
             row{"SAMLart=s3cr3t&wpa_psk=s3cr3t&2fa=s3cr3t&max_tokens=9",
                 "SAMLart=REDACTED&wpa_psk=REDACTED&2fa=REDACTED&max_tokens=9"},
             row{"wstoken=s3cr3t&reset_code=s3cr3t&ticket=s3cr3t&country_code=de",
                 "wstoken=REDACTED&reset_code=REDACTED&ticket=REDACTED&country_code=de"},
         }) {
        CAPTURE(r.query);
        CHECK(logged_query(r.query) == r.logged);
        CHECK(logged_query(r.query).find("s3cr3t") == std::string::npos);
    }
}

TEST_CASE("OP-33: of a path no parameter is shown that carries a credential, and nobody's name and password")
{
    struct row {
        std::string_view path;
        std::string_view logged;
    };
    for (auto const& r : {
             row{"*", "*"},
             row{"/", "/"},
             row{"/token/secret/", "/token/secret/"}, // names, as far as anybody can know
             row{"/a;jsessionid=s3cr3t", "/a;jsessionid=REDACTED"},
             row{"/a;jsessionid=s3cr3t/b;x=1/c", "/a;jsessionid=REDACTED/b;x=1/c"},
             row{"/a;x=1;token=s3cr3t;y=2", "/a;x=1;token=REDACTED"},
             row{"/a%3Bjsessionid%3Ds3cr3t", "/a%3Bjsessionid%3DREDACTED"},
             row{"/key=s3cr3t/page=2", "/key=REDACTED/page=2"},
             row{"/auth/page=2", "/auth/page=2"},
             row{"/fetch/https://u:s3cr3t@h/x", "/fetch/https://REDACTED/x"},
             row{"/fetch/https:/s3cr3t@h/x", "/fetch/https:/REDACTED/x"}, // as its slashes are merged
             row{"/fetch/https:/h/x;sid=s3cr3t", "/fetch/https:/h/x;sid=REDACTED"},
             row{"/@user/npm/@scope/a@b", "/@user/npm/@scope/a@b"},
         }) {
        CAPTURE(r.path);
        CHECK(logged_path(r.path) == r.logged);
    }
}

TEST_CASE("OP-33, AK-5: what a pattern captures by the name of a credential is not shown")
{
    std::string_view const path = "/reset/s3cr3t/7/s3cr3t";
    auto const captured = [path](std::string_view name, std::size_t at, std::size_t size) {
        return base::path_capture{name, path.substr(at, size)};
    };
    CHECK(logged_path(path, {captured("token", 7, 6)}) == "/reset/REDACTED/7/s3cr3t"); // not by its value
    CHECK(logged_path(path, {captured("id", 14, 1), captured("otp", 16, 6)}) == "/reset/s3cr3t/7/REDACTED");
    CHECK(logged_path(path, {captured("id", 7, 6)}) == path);
    CHECK(logged_path("/", {{"token", ""}}) == "/");
}

TEST_CASE("AK-4: a parameter that holds API keys is not shown, whatever it is called")
{
    using source = conf::credential_source;
    std::vector<source> const sources{{source::place::header, "x"}, {source::place::query, "my_own"}};
    base::request_facts facts;
    facts.query = "my_own=s3cr3t&x=1&my%5fown=s3cr3t&MY_OWN=2&url=%3Fmy_own%3Ds3cr3t";
    access_record record;
    record.api_key_sources = sources;
    CHECK(parsed(line_of(record, facts)).at("url.query") ==
          "my_own=REDACTED&x=1&my%5fown=REDACTED&MY_OWN=2&url=%3Fmy_own%3DREDACTED");
}

TEST_CASE("AK-5: of a hash that stands for a credential eight digits are shown")
{
    using partition::entry_source;
    std::string const hash = "0123456789abcdef0123456789abcdef";
    struct row {
        std::string_view name;
        std::vector<partition::entry> entries;
        std::string key;
        std::string shown;
    };
    partition::entry const address{.source = entry_source::client_ip, .name = {}};
    partition::entry const api_key{.source = entry_source::api_key, .name = {}};
    partition::entry const cookie{.source = entry_source::cookie, .name = "sid"};
    partition::entry const tenant{.source = entry_source::header, .name = "x-tenant"};
    partition::entry const token{.source = entry_source::query, .name = "token"};
    for (auto const& r : std::vector<row>{
             {"none hidden", {address}, "rl:{ip=192.0.2.1}:a:tb", "rl:{ip=192.0.2.1}:a:tb"},
             {"a key", {api_key}, "rl:{key=" + hash + "}:a:tb", "rl:{key=01234567*}:a:tb"},
             {"a shard", {api_key}, "rl:{key=" + hash + "#07}:a:tb", "rl:{key=01234567*#07}:a:tb"},
             {"among others",
              {address, cookie, tenant, token},
              "rl:{ip=192.0.2.1,cookie.sid=" + hash + ",header.x-tenant=" + hash + ",query.token=" + hash + "}:a:tb",
              "rl:{ip=192.0.2.1,cookie.sid=01234567*,header.x-tenant=" + hash + ",query.token=01234567*}:a:tb"},
             {"too long, with a key", {address, api_key}, "rl:{h=" + hash + "}:a:tb", "rl:{h=01234567*}:a:tb"},
             {"too long, without", {address, tenant}, "rl:{h=" + hash + "}:a:tb", "rl:{h=" + hash + "}:a:tb"},
             {"nobody's", {api_key}, "rl:{none}:a:tb", "rl:{none}:a:tb"},
             {"a prefix like an entry", {api_key}, "a=b,c:{key=" + hash + "}:a:tb", "a=b,c:{key=01234567*}:a:tb"},
         }) {
        CAPTURE(r.name);
        CHECK(logged_key(r.entries, r.key, {}) == r.shown);
    }
}

TEST_CASE("OP-33: a key shows of a value no more than a query would")
{
    using partition::entry_source;
    partition::entry const next{.source = entry_source::query, .name = "next"};
    partition::entry const subject{.source = entry_source::jwt_claim, .name = "sub"};
    partition::entry const path{.source = entry_source::path, .name = {}};
    partition::entry const everyone{.source = entry_source::everyone, .name = {}};
    struct row {
        std::string_view name;
        std::vector<partition::entry> entries;
        std::string_view key;
        std::string_view shown;
    };
    std::string_view const target = "/reset/s3cr3t";
    std::vector<base::path_capture> const none;
    std::vector<base::path_capture> const captured{{"token", target.substr(7)}};
    for (auto const& r : std::vector<row>{
             {"nothing", {next}, "rl:{query.next=/a%3Fb%3Dc}:a:tb", "rl:{query.next=/a%3Fb%3Dc}:a:tb"},
             {"a URL", {next}, "rl:{query.next=/cb%3Ftoken%3Ds3cr3t}:a:tb", "rl:{query.next=/cb%3Ftoken%3DREDACTED}:a:tb"},
             {"one of two", {next}, "rl:{query.next=a%3Fpw%3Ds3cr3t&b}:a:tb", "rl:{query.next=a%3Fpw%3DREDACTED&b}:a:tb"},
             {"a shard", {next}, "rl:{query.next=a%3Fpw%3Ds3cr3t#07}:a:tb", "rl:{query.next=a%3Fpw%3DREDACTED#07}:a:tb"},
             {"an own name", {next}, "rl:{query.next=/%3Fmy_own%3Ds3cr3t}:a:tb", "rl:{query.next=/%3Fmy_own%3DREDACTED}:a:tb"},
             {"a password", {next}, "rl:{query.next=ftp://u:s3cr3t@h}:a:tb", "rl:{query.next=ftp://REDACTED}:a:tb"},
             {"an issuer", {subject}, "rl:{jwt.sub=https://id.example|a@b}:a:tb", "rl:{jwt.sub=https://id.example|a@b}:a:tb"},
             {"a path", {path}, "rl:{path=/reset/7%3Bsid%3Ds3cr3t}:a:tb", "rl:{path=/reset/7%3Bsid%3DREDACTED}:a:tb"},
             {"before another",
              {everyone, next, path},
              "rl:{everyone,query.next=%3Fpw%3Ds3cr3t,path=/x}:a:tb",
              "rl:{everyone,query.next=%3Fpw%3DREDACTED,path=/x}:a:tb"},
         }) {
        CAPTURE(r.name);
        CHECK(logged_key(r.entries, r.key, none) == r.shown);
    }
    CHECK(logged_key({path}, "rl:{path=/reset/s3cr3t}:a:tb", captured) == "rl:{path=REDACTED}:a:tb");
    CHECK(logged_key({path, everyone}, "rl:{path=/reset/s3cr3t,everyone}:a:tb", captured) ==
          "rl:{path=REDACTED,everyone}:a:tb");
}
