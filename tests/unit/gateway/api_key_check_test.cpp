// Where API keys are looked for, in which spellings they are one key, and what is refused (AK-1 ... AK-4, AK-7, AK-8, AK-12).
#include "gateway/api_key_check.hpp"

#include "gateway/basic_credentials.hpp"
#include "gateway/query_keys.hpp"

#include <doctest/doctest.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

using namespace penstock;
using namespace penstock::gateway;

namespace {

conf::api_key_settings from(std::vector<std::string> const& sources)
{
    conf::api_key_settings settings;
    for (auto const& text : sources) settings.from.push_back(conf::parse_credential_source(text).value());
    return settings;
}

struct request {
    std::vector<base::field> fields;
    std::string_view query;
};

// `key`, or the refusal between asterisks, or nothing.
std::string seen(request const& what, conf::api_key_settings const& settings)
{
    base::request_facts facts;
    facts.fields = what.fields;
    facts.query = what.query;
    std::string scratch = "what was here before";
    auto const got = check_api_key(facts, settings, scratch);
    CHECK((got.why == credential_refusal::none || got.key.empty()));
    return got.why == credential_refusal::none ? std::string(got.key) : "*" + std::string(name_of(got.why)) + "*";
}

constexpr std::string_view repeated = "*api_key_repeated*";
constexpr std::string_view malformed = "*api_key_malformed*";

} // namespace

TEST_CASE("AK-1, AK-2: keys are read from the configured places, and one request has one")
{
    struct row {
        std::string_view name;
        std::vector<std::string> from;
        request what;
        std::string_view seen;
    };
    for (auto const& r : std::vector<row>{
             {"header", {"header X-API-Key"}, {{{"x-api-KEY", "a"}}, ""}, "a"},
             {"another header", {"header X-API-Key"}, {{{"X-Key", "a"}}, ""}, ""},
             {"nowhere configured", {}, {{{"X-API-Key", "a"}}, "api_key=a"}, ""},
             {"Authorization unasked", {"header X-API-Key"}, {{{"Authorization", "ApiKey a"}}, ""}, ""},
             {"query unasked", {"header X-API-Key"}, {{}, "api_key=a&X-API-Key=b"}, ""},
             {"cookie unasked", {"header X-API-Key"}, {{{"Cookie", "X-API-Key=a"}}, ""}, ""},
             {"scheme", {"authorization ApiKey"}, {{{"Authorization", "ApiKey a"}}, ""}, "a"},
             {"other scheme", {"authorization ApiKey"}, {{{"Authorization", "Bearer a"}}, ""}, ""},
             {"bearer", {"authorization Bearer"}, {{{"Authorization", "bearer a"}}, ""}, "a"},
             {"basic", {"authorization Basic"}, {{{"Authorization", "Basic a2V5Og=="}}, ""}, "key"},
             {"query", {"query api_key"}, {{}, "x=1&api_key=a"}, "a"},
             {"cookie", {"cookie key"}, {{{"Cookie", "x=1; key=a"}}, ""}, "a"},
             {"second of the list", {"header X-A", "header X-B"}, {{{"X-B", "a"}}, ""}, "a"},
             {"twice the same", {"header X-A"}, {{{"X-A", "a"}, {"x-a", "a"}}, ""}, repeated},
             {"in two fields", {"header X-A", "header X-B"}, {{{"X-A", "a"}, {"X-B", "b"}}, ""}, repeated},
             {"field and Authorization",
              {"header X-A", "authorization ApiKey"},
              {{{"X-A", "a"}, {"Authorization", "ApiKey a"}}, ""},
              repeated},
             {"two Authorization lines",
              {"authorization ApiKey"},
              {{{"Authorization", "ApiKey a"}, {"Authorization", "ApiKey b"}}, ""},
              repeated},
             {"header and query", {"header X-A", "query k"}, {{{"X-A", "a"}}, "k=a"}, repeated},
             {"two parameters", {"query k"}, {{}, "k=a&%6b=a"}, repeated},
             {"two cookies", {"cookie k"}, {{{"Cookie", "k=a; k=a"}}, ""}, repeated},
             {"two cookie lines", {"cookie k"}, {{{"Cookie", "k=a"}, {"Cookie", "k=b"}}, ""}, repeated},
             {"empty and another", {"header X-A"}, {{{"X-A", ""}, {"X-A", "b"}}, ""}, repeated},
             {"a key and an unasked scheme", {"header X-A"}, {{{"X-A", "a"}, {"Authorization", "ApiKey b"}}, ""}, "a"},
         }) {
        CAPTURE(r.name);
        CHECK(seen(r.what, from(r.from)) == r.seen);
    }
}

TEST_CASE("AK-3: schemes have no case and any white space behind them, keys have both")
{
    auto const settings = from({"authorization ApiKey"});
    for (std::string_view const value :
         {"ApiKey abc", "apikey abc", "APIKEY abc", "ApiKey  abc", "aPiKeY\tabc", "ApiKey \t abc"}) {
        CAPTURE(value);
        CHECK(seen({{{"Authorization", value}}, ""}, settings) == "abc");
    }
    CHECK(seen({{{"Authorization", "ApiKey ABC"}}, ""}, settings) == "ABC");
    CHECK(seen({{{"Authorization", "ApiKeyabc"}}, ""}, settings).empty());
    CHECK(seen({{{"Authorization", "ApiKey"}}, ""}, settings) == malformed);
    CHECK(seen({{{"Authorization", "ApiKey a b"}}, ""}, settings) == malformed);
    // What no scheme's name has in it ends the name, too, but there is no key behind it.
    for (std::string const end : {"\xa0", "\xc2\xa0", "=", ":", ",", "\"", "\x0b", "\x1f", "\x7f", "\xff"}) {
        CAPTURE(end);
        CHECK(seen({{{"Authorization", "ApiKey" + end + "abc"}}, ""}, settings) == malformed);
        CHECK(seen({{{"Authorization", end + "ApiKey abc"}}, ""}, settings) == malformed);
        CHECK(seen({{{"Authorization", "bearer" + end + "abc"}}, ""}, from({"authorization Bearer"})) == malformed);
        CHECK(seen({{{"Authorization", "Basic" + end + "a2V5Og=="}}, ""}, from({"authorization Basic"})) == malformed);
    }
}

TEST_CASE("AK-7: a key has 1 to 512 visible ASCII characters")
{
    std::string const longest(512, 'k');
    std::string const longer(513, 'k');
    std::string const huge(8192, 'k');
    std::string encoded;
    for (int i = 0; i < 512; ++i) encoded += "%6b";
    auto const header = from({"header X-A"});
    auto const query = from({"query k"});
    for (auto const& value : std::vector<std::string>{"", "a b", "a\tb", "\xc3\xa9", longer, huge, "a\x7f"}) {
        CAPTURE(value);
        CHECK(seen({{{"X-A", value}}, ""}, header) == malformed);
    }
    CHECK(seen({{{"X-A", longest}}, ""}, header) == longest);
    CHECK(seen({{}, "k=" + longest}, query) == longest);
    CHECK(seen({{}, "k=" + encoded}, query) == longest);
    for (auto const& value : std::vector<std::string>{"", "a+b", "a%20b", "%00", longer, encoded + "k", huge}) {
        CAPTURE(value);
        CHECK(seen({{}, "k=" + value}, query) == malformed);
    }
}

TEST_CASE("AK-4: a key in a query is one key in every spelling")
{
    auto const settings = from({"query api_key"});
    for (std::string_view const query :
         {"api_key=aB", "api%5fkey=aB", "api%5Fkey=%61B", "api_key=a%42&x", "y&api_key=%61%42"}) {
        CAPTURE(query);
        CHECK(seen({{}, query}, settings) == "aB");
    }
    CHECK(seen({{}, "api_key=%2561"}, settings) == "%61");
}

TEST_CASE("Basic: the password is the key, or the user name where there is no password")
{
    struct row {
        std::string_view written;
        std::string_view key;
    };
    for (auto const& r : {
             row{"a2V5Og==", "key"},     // key:
             row{"OmtleQ==", "key"},     // :key
             row{"dXNlcjprZXk=", "key"}, // user:key
             row{"dTprOmV5", "k:ey"},    // u:k:ey
             row{"a2V5", ""},            // key, without a colon
             row{"Og==", ""},            // :
             row{"a2V5Og=", ""},         // padded by one too few
             row{"a2V5Og", ""},          // not padded
             row{"a2V5Oh==", ""},        // the last bits say nothing
             row{"a2V5Og===", ""},       // too much
             row{"a2V5 Og=", ""},        // a blank inside
             row{"a2V5-_==", ""},        // of another alphabet
             row{"a2=5Og==", ""},        // padding inside
             row{"", ""},
         }) {
        CAPTURE(r.written);
        std::string decoded;
        CHECK(read_basic(r.written, decoded).key() == r.key);
    }
    std::string decoded;
    CHECK(read_basic("dTprOmV5", decoded).user_name == "u");
    CHECK(read_basic("Og==", decoded).is_readable);
    CHECK(!read_basic("a2V5", decoded).is_readable);
    CHECK(seen({{{"Authorization", "Basic !"}}, ""}, from({"authorization Basic"})) == malformed);
    CHECK(seen({{{"Authorization", "BASIC  a2V5Og=="}}, ""}, from({"authorization Basic"})) == "key");
}

TEST_CASE("AK-8, AK-12: where keys are known, any other is refused, or goes on without a key where that is asked for")
{
    auto settings = from({"header X-A"});
    std::vector<conf::known_api_key> keys;
    keys.push_back({"first", partition::digest_of("foo"), {{"plan", "gold"}}});
    settings.known = std::make_shared<conf::api_key_book const>(std::move(keys));
    std::string scratch;
    auto const look = [&](std::string_view key) {
        std::vector<base::field> const fields{{"X-A", key}};
        base::request_facts facts;
        facts.fields = fields;
        auto const got = check_api_key(facts, settings, scratch);
        got.describe_in(facts);
        CHECK(facts.api_key == got.key);
        CHECK(facts.api_key_attributes.size() == (got.known ? 1U : 0U));
        return got;
    };
    REQUIRE(look("foo").known);
    CHECK(look("foo").known->name == "first");
    CHECK(look("foo").key == "foo");
    CHECK(look("fox").why == credential_refusal::api_key_unknown);
    CHECK(look("").why == credential_refusal::api_key_malformed);

    settings.on_unknown = conf::unknown_key::anonymous;
    CHECK(look("fox").why == credential_refusal::none);
    CHECK(look("fox").is_ignored);
    CHECK(look("fox").key.empty());
    CHECK(look("foo").known);
    CHECK(!look("foo").is_ignored);
    CHECK(look("").why == credential_refusal::api_key_malformed);
}

TEST_CASE("a denied key denies the request however many keys it has, and the first list that holds one has the say")
{
    std::vector<partition::sha256_digest> const digests{partition::digest_of("bad"), partition::digest_of("worse")};
    conf::deny_list first;
    conf::deny_list second;
    first.api_keys = partition::digest_table{std::span(digests).first(1)};
    second.api_keys = partition::digest_table{digests};
    conf::deny_list const nobody;
    std::vector<conf::deny_list const*> const lists{&nobody, &first, &second};
    std::string many;
    for (int i = 0; i < 40; ++i) many += "k=a&";
    std::string const commas(40, ',');
    auto const bad_behind_commas = commas + "bad";
    std::string letters;
    for (int i = 0; i < 40; ++i) letters += "a,";
    struct row {
        std::string_view name;
        request what;
        conf::deny_list const* by;
    };
    for (auto const& r : std::vector<row>{
             {"none", {}, nullptr},
             {"another", {{{"X-A", "good"}}, ""}, nullptr},
             {"two others", {{{"X-A", "good"}}, "k=good"}, nullptr},
             {"once", {{{"X-A", "bad"}}, ""}, &first},
             {"twice", {{{"X-A", "bad"}, {"X-A", "bad"}}, ""}, &first},
             {"before another", {{{"X-A", "bad"}, {"X-A", "good"}}, ""}, &first},
             {"behind another", {{{"X-A", "good"}, {"X-A", "bad"}}, ""}, &first},
             {"before an empty one", {{{"X-A", "bad"}}, "k="}, &first},
             {"before a malformed one", {{{"X-A", "bad"}}, "k=a%20b"}, &first},
             {"encoded, in another place", {{{"X-A", "good"}}, "k=b%61d&k=good"}, &first},
             {"of the second list", {{{"X-A", "worse"}, {"X-A", "good"}}, ""}, &second},
             {"of both lists", {{{"X-A", "worse"}, {"X-A", "bad"}}, ""}, &first},
             {"more keys than are looked at", {{}, many}, &first},
             {"before a comma", {{{"X-A", "bad,"}}, ""}, &first},
             {"behind a comma", {{{"X-A", ",bad"}}, ""}, &first},
             {"between commas", {{{"X-A", "good,bad,good"}}, ""}, &first},
             {"last in a list", {{{"X-A", "good,good,worse"}}, ""}, &second},
             {"a part of one between commas", {{{"X-A", "good,ba,d"}}, ""}, nullptr},
             {"a user name", {{{"Authorization", "Basic YmFkOg=="}}, ""}, &first},                   // bad:
             {"a password", {{{"Authorization", "Basic dTpiYWQ="}}, ""}, &first},                    // u:bad
             {"a user name beside a password", {{{"Authorization", "Basic YmFkOng="}}, ""}, &first}, // bad:x
             {"with a blank", {{{"Authorization", "Basic YmFkIDp4"}}, ""}, &first},                  // bad :x
             {"among others", {{{"Authorization", "Basic YSxiYWQ6eA=="}}, ""}, &first},              // a,bad:x
             {"another user name", {{{"Authorization", "Basic YSBiOng="}}, ""}, nullptr},            // a b:x
             {"in quotes", {{{"X-A", "\"bad\""}}, ""}, &first},
             {"in quotes, among others", {{{"X-A", "\"good\",\"bad\";q=1"}}, ""}, &first},
             {"with a parameter", {{{"X-A", "bad;q=1"}}, ""}, &first},
             {"behind a semicolon", {{{"X-A", "good;worse"}}, ""}, &second},
             {"behind a semicolon of the query", {{}, "a=1;k=bad"}, &first},
             {"there, encoded", {{}, "a=1;x;%6b=%62ad+;b=2"}, &first},
             {"there, behind a good one", {{}, "k=good;k=bad&b=2"}, &first},
             {"there, of another name", {{}, "a=1;kk=bad;b&k=good"}, nullptr},
             {"behind a comma between cookies", {{{"Cookie", "a=b, k=bad; c=d"}}, ""}, &first},
             {"behind a comma, in quotes", {{{"Cookie", "a=b,k=\"bad\""}}, ""}, &first},
             {"there, of another name", {{{"Cookie", "a=b, kk=bad, k2=bad"}}, ""}, nullptr},
             {"longer lists than are looked at", {{{"X-A", letters}}, ""}, &first},
             {"many commas with nothing between", {{{"X-A", commas}}, ""}, nullptr},
             {"behind many commas", {{{"X-A", bad_behind_commas}}, ""}, &first},
         }) {
        CAPTURE(r.name);
        base::request_facts facts;
        facts.fields = r.what.fields;
        facts.query = r.what.query;
        std::string scratch;
        auto const got =
            check_api_key(facts, from({"header X-A", "query k", "cookie k", "authorization Basic"}), scratch, lists);
        CHECK(got.denied_by == r.by);
        CHECK((got.why == credential_refusal::api_key_denied) == (r.by != nullptr));
        if (r.by != nullptr) CHECK(got.key.empty());
    }
}

TEST_CASE("a denied key is looked for in more places than a key is taken from, and the key that is taken stays what it is")
{
    std::vector<partition::sha256_digest> const digests{partition::digest_of("bad")};
    conf::deny_list denying;
    denying.api_keys = partition::digest_table{digests};
    std::array<conf::deny_list const*, 1> const lists{&denying};
    std::vector<base::field> const fields{{"Authorization", "Basic dTprZXk="}}; // u:key
    base::request_facts facts;
    facts.fields = fields;
    facts.query = "a=b;k=%78&c=d;k=y";
    std::string scratch;
    auto const got = check_api_key(facts, from({"authorization Basic", "query k"}), scratch, lists);
    CHECK(got.why == credential_refusal::none);
    CHECK(got.key == "key");
    CHECK(!got.is_undecided);
}

TEST_CASE("where keys are denied, one that is not well-formed leaves it undecided whether it is")
{
    std::vector<partition::sha256_digest> const digests{partition::digest_of("bad")};
    conf::deny_list denying;
    denying.api_keys = partition::digest_table{digests};
    conf::deny_list const nobody;
    std::string blanks;
    for (int i = 0; i < 1000; ++i) blanks += "%20"; // longer than what is decoded
    auto const many_blanks = "k=bad" + blanks;
    struct row {
        std::string_view name;
        request what;
        bool is_undecided;
    };
    for (auto const& r : std::vector<row>{
             {"no key", {}, false},
             {"a good key", {{{"X-A", "good"}}, ""}, false},
             {"a blank in front", {{}, "k=%20bad"}, true},
             {"a blank behind", {{}, "k=bad+"}, true},
             {"many blanks behind", {{}, many_blanks}, true},
             {"a no-break space behind", {{}, "k=bad%C2%A0"}, true},
             {"a blank inside", {{{"X-A", "good, bad"}}, ""}, true},
             {"beside a good key", {{{"X-A", "good"}}, "k=%20bad"}, true},
             {"before a good key", {{}, "k=%20bad&k=good"}, true},
             {"an empty field", {{{"X-A", ""}}, ""}, false},
             {"a cleared cookie", {{{"Cookie", "k="}}, ""}, false},
             {"a cookie of quotes", {{{"Cookie", "k=\"\""}}, ""}, false},
             {"an empty parameter", {{}, "k="}, false},
             {"a parameter without a value", {{}, "k"}, false},
             {"a scheme alone", {{{"Authorization", "ApiKey"}}, ""}, false},
             {"Basic alone", {{{"Authorization", "Basic"}}, ""}, false},
             {"neither user name nor password", {{{"Authorization", "Basic Og=="}}, ""}, false},
             {"no colon", {{{"Authorization", "Basic YmFk"}}, ""}, true},
             {"an empty one and one with a blank", {{{"X-A", ""}}, "k=%20bad"}, true},
             {"behind another byte than a blank", {{{"Authorization", "ApiKey=bad"}}, ""}, true},
             {"in what is no Base64", {{{"Authorization", "Basic OmJhZA"}}, ""}, true},
             {"a user name that is no key", {{{"Authorization", "Basic YSBiOng="}}, ""}, false}, // a b:x
         }) {
        CAPTURE(r.name);
        base::request_facts facts;
        facts.fields = r.what.fields;
        facts.query = r.what.query;
        std::string scratch;
        auto const settings = from({"header X-A", "query k", "cookie k", "authorization ApiKey", "authorization Basic"});
        auto const check = [&](conf::deny_list const& list) {
            std::array const lists{&list};
            return check_api_key(facts, settings, scratch, lists);
        };
        CHECK(check(denying).is_undecided == r.is_undecided);
        CHECK(check(denying).denied_by == nullptr);
        CHECK(!check(nobody).is_undecided);
    }
}

TEST_CASE("AK-4: parameters with keys are recognised in every spelling, and can be left out")
{
    auto const settings = from({"header k", "query api_key", "query t"});
    CHECK(is_key_parameter("api_key", settings.from));
    CHECK(is_key_parameter("api%5Fkey", settings.from));
    CHECK(!is_key_parameter("API_KEY", settings.from));
    CHECK(!is_key_parameter("k", settings.from));

    struct row {
        std::string_view query;
        std::string_view left;
    };
    for (auto const& r : {
             row{"", ""},
             row{"api_key=a", ""},
             row{"api_key=a&x=1", "?x=1"},
             row{"x=1&api_key=a", "?x=1"},
             row{"x=1&api%5fkey=a&y=%20", "?x=1&y=%20"},
             row{"x=1&t=a&api_key=b&z", "?x=1&z"},
             row{"x=1&k=2", "?x=1&k=2"},
             row{"api_key", ""},
             row{"&api_key=a", "?"},
             row{"&&api_key=a", "?&"},
             row{"x=1&", "?x=1&"},
         }) {
        CAPTURE(r.query);
        std::string out = "/a";
        append_without_keys(out, r.query, settings.from);
        CHECK(out == "/a" + std::string(r.left));
    }
}
