// What is accepted, by each algorithm and at each edge of time, audience, type and claims.
#include "tests/unit/auth/tokens.hpp"

#include <doctest/doctest.h>

namespace penstock::auth {
namespace {

std::string payload_with(std::string_view claims)
{
    return R"({"iss":"https://id.example.com/","sub":"acme")" + std::string(claims) + '}';
}

struct row {
    char const* name;
    std::string claims;
    char const* expected;
};

std::string seconds(std::string_view claim, std::int64_t at) { return ",\"" + std::string(claim) + "\":" + std::to_string(at); }

} // namespace

TEST_CASE("AK-24 a token of each algorithm is accepted, and its claims are those that were asked for")
{
    world const all;
    for (auto const use : public_algorithms()) {
        CAPTURE(name_of(use));
        auto const token =
            minting::key_of(use).token(good_payload(R"(,"sub":"acme","secret":"x","realm":{"tenant":7},"plan":"gold")"));
        auto const seen = all.look_at(token);
        CHECK(name_of(seen.why) == name_of(refusal::none));
        REQUIRE(seen.token);
        CHECK(seen.token->issuer_name == "https://id.example.com/");
        REQUIRE(seen.token->claims.size() == 3);
        CHECK(seen.token->claims[0].name == "plan");
        CHECK(seen.token->claims[0].value == "gold");
        CHECK(seen.token->claims[1].name == "realm.tenant");
        CHECK(seen.token->claims[1].value == "7");
        CHECK(seen.token->claims[2].value == "acme");
        CHECK(seen.token->expires_us == now_us + 330'000'000);
    }
}

TEST_CASE("AK-24 HS256 is accepted with the issuer's own secret")
{
    world all;
    all.settings.issuers[0].algorithms = {algorithm::hs256};
    std::string const secret(32, 's');
    all.keys[0] = key_set_of_secret(secret);
    CHECK(all.refusal_of(minting::hs256(secret, R"({"alg":"HS256"})", good_payload())) == "accepted");
    CHECK(all.refusal_of(minting::hs256(secret, R"({"alg":"HS256","kid":"any"})", good_payload())) == "accepted");
    CHECK(all.refusal_of(minting::hs256(secret + 's', R"({"alg":"HS256"})", good_payload())) == "signature");
}

TEST_CASE("AK-30 exp, nbf and iat, with the leeway of 30 seconds")
{
    std::array const rows{
        row{"exp 29 seconds ago", seconds("exp", now_s - 29), "accepted"},
        row{"exp 30 seconds ago: now >= exp + leeway", seconds("exp", now_s - 30), "expired"},
        row{"exp 31 seconds ago", seconds("exp", now_s - 31), "expired"},
        row{"exp with a fraction", ",\"exp\":" + std::to_string(now_s - 30) + ".5", "accepted"},
        row{"exp of old", ",\"exp\":-5", "expired"},
        row{"exp far beyond every clock", ",\"exp\":1e300", "accepted"},
        row{"exp as a string", R"(,"exp":"123")", "claims"},
        row{"exp null", R"(,"exp":null)", "claims"},
        row{"exp true", R"(,"exp":true)", "claims"},
        row{"exp a list", R"(,"exp":[1])", "claims"},
        row{"exp beyond every number", R"(,"exp":1e999)", "format"},
        row{"no exp", "", "claims"},
        row{"nbf within the leeway", seconds("exp", now_s + 60) + seconds("nbf", now_s + 30), "accepted"},
        row{"nbf beyond it", seconds("exp", now_s + 60) + seconds("nbf", now_s + 31), "too_early"},
        row{"nbf as a string", seconds("exp", now_s + 60) + R"(,"nbf":"1")", "claims"},
        row{"iat within the leeway", seconds("exp", now_s + 60) + seconds("iat", now_s + 30), "accepted"},
        row{"iat in the future", seconds("exp", now_s + 60) + seconds("iat", now_s + 3600), "too_early"},
        row{"iat null", seconds("exp", now_s + 60) + R"(,"iat":null)", "claims"},
    };
    world all;
    all.settings.issuers[0].audiences.clear();
    for (auto const& each : rows) {
        CAPTURE(each.name);
        CHECK(all.refusal_of(minting::key_of(algorithm::es256).token(payload_with(each.claims))) == each.expected);
    }
    all.settings.issuers[0].leeway = base::micros{0};
    auto const token = minting::key_of(algorithm::es256).token(payload_with(seconds("exp", now_s)));
    CHECK(all.refusal_of(token, now_us - 1) == "accepted");
    CHECK(all.refusal_of(token, now_us) == "expired");
}

TEST_CASE("AK-32 aud is one of ours, alone or in a list, to the byte")
{
    auto const until = seconds("exp", now_s + 60);
    std::array const rows{
        row{"ours", R"(,"aud":"api")", "accepted"},
        row{"the other of ours", R"(,"aud":"api-2")", "accepted"},
        row{"ours in a list", R"(,"aud":["web","api"])", "accepted"},
        row{"somebody else's", R"(,"aud":"web")", "audience"},
        row{"a list without ours", R"(,"aud":["web","ap"])", "audience"},
        row{"an empty list", R"(,"aud":[])", "audience"},
        row{"another case", R"(,"aud":"API")", "audience"},
        row{"a longer name", R"(,"aud":"api/")", "audience"},
        row{"none", "", "audience"},
        row{"a number", R"(,"aud":5)", "claims"},
        row{"a list with a number", R"(,"aud":["api",5])", "claims"},
        row{"null", R"(,"aud":null)", "claims"},
    };
    world all;
    all.settings.issuers[0].audiences = {"api", "api-2"};
    for (auto const& each : rows) {
        CAPTURE(each.name);
        CHECK(all.refusal_of(minting::key_of(algorithm::es256).token(payload_with(until + each.claims))) == each.expected);
    }
    all.settings.issuers[0].audiences.clear();
    CHECK(all.refusal_of(minting::key_of(algorithm::es256).token(payload_with(until))) == "accepted");
}

TEST_CASE("AK-31 the issuer's own keys, and its name to the byte")
{
    world all;
    all.add("https://other.example.com/", "other");
    auto const of = [](std::string_view name) {
        return R"({"iss":")" + std::string(name) + R"(","aud":"api","exp":)" + std::to_string(now_s + 60) + '}';
    };
    auto const& ours = minting::key_of(algorithm::es256);
    auto const& theirs = minting::key_of(algorithm::es256, "other");
    CHECK(all.refusal_of(theirs.token(of("https://other.example.com/"))) == "accepted");
    CHECK(all.look_at(theirs.token(of("https://other.example.com/"))).token->issuer == 1);
    CHECK(all.refusal_of(theirs.token(of("https://id.example.com/"))) == "key");
    // With the same kid.
    auto const header = R"({"alg":"ES256","kid":")" + ours.id() + R"("})";
    CHECK(all.refusal_of(theirs.token(header, of("https://id.example.com/"))) == "signature");
    for (auto const* name : {"https://id.example.com", "https://ID.example.com/", "https://id.example.com//", "", "id"}) {
        CAPTURE(name);
        CHECK(all.refusal_of(ours.token(of(name))) == "issuer");
    }
}

TEST_CASE("AK-33 typ is what the issuer's profile says, whatever its case and prefix")
{
    world all;
    auto& from = all.settings.issuers[0];
    from.type = "at+jwt";
    auto const refusal_of = [&](std::string_view type) {
        return all.refusal_of(minting::key_of(algorithm::es256)
                                  .token(R"({"alg":"ES256","kid":"issuer-ES256")" + std::string(type) + '}', good_payload()));
    };
    CHECK(refusal_of(R"(,"typ":"at+jwt")") == "accepted");
    CHECK(refusal_of(R"(,"typ":"AT+JWT")") == "accepted");
    CHECK(refusal_of(R"(,"typ":"application/at+jwt")") == "accepted");
    CHECK(refusal_of(R"(,"typ":"JWT")") == "type");
    CHECK(refusal_of(R"(,"typ":"application/application/at+jwt")") == "type");
    CHECK(refusal_of("") == "type");
    CHECK(refusal_of(R"(,"typ":7)") == "format");
    from.type.clear();
    CHECK(refusal_of(R"(,"typ":"JWT")") == "accepted");
    CHECK(refusal_of("") == "accepted");
}

TEST_CASE("AK-41 a genuine token without a required scope is told apart from a bad one")
{
    world all;
    all.settings.issuers[0].scopes = {"read", "write"};
    auto const refusal_of = [&](std::string_view claims) {
        return all.refusal_of(minting::key_of(algorithm::es256).token(good_payload(claims)));
    };
    CHECK(refusal_of(R"(,"scope":"write read")") == "accepted");
    CHECK(refusal_of(R"(,"scp":["read","write"])") == "accepted");
    CHECK(refusal_of(R"(,"scp":"read write")") == "accepted");
    for (auto const* claims :
         {R"(,"scope":"read")", R"(,"scope":"read writer")", R"(,"scope":["read","write"])", R"(,"scope":5)", ""}) {
        CAPTURE(claims);
        auto const is_list = std::string_view(claims).find('[') != std::string_view::npos;
        CHECK(refusal_of(claims) == (is_list ? "accepted" : "scope"));
    }
}

TEST_CASE("AK-29 kid is an index and nothing else")
{
    world const all;
    auto const refusal_of = [&](std::string const& id) {
        return all.refusal_of(minting::key_of(algorithm::es256).token(R"({"alg":"ES256","kid":)" + id + '}', good_payload()));
    };
    CHECK(refusal_of(R"("issuer-ES256")") == "accepted");
    for (auto const* id : {R"("../../etc/passwd")", R"("issuer-es256")", R"("issuer-ES384")", R"("")", R"("' OR 1=1 --")"})
        CHECK(refusal_of(id) == "key");
    CHECK(refusal_of('"' + std::string(longest_key_id + 1, 'k') + '"') == "key");
    CHECK(refusal_of("7") == "format");
    CHECK(refusal_of("null") == "format");
    // Without one, the only key for the algorithm is meant.
    CHECK(all.refusal_of(minting::key_of(algorithm::es256).token(R"({"alg":"ES256"})", good_payload())) == "accepted");
    world two;
    std::array const accepted{algorithm::es256};
    two.keys[0] =
        parse_key_set(minting::jwks(minting::key_of(algorithm::es256).jwk(), minting::key_of(algorithm::es256, "b").jwk()),
                      accepted)
            .keys;
    CHECK(two.refusal_of(minting::key_of(algorithm::es256).token(R"({"alg":"ES256"})", good_payload())) == "key");
}

TEST_CASE("AK-35 an issuer whose keys are not known says so, after everything that costs less")
{
    world all;
    all.keys[0] = nullptr;
    CHECK(all.refusal_of(minting::key_of(algorithm::es256).token(good_payload())) == "no_keys");
    CHECK(all.look_at(minting::key_of(algorithm::es256).token(good_payload())).issuer == 0);
    CHECK(all.refusal_of(minting::key_of(algorithm::es256).token(payload_with(seconds("exp", now_s - 60)))) == "expired");
}

TEST_CASE("AK-38 what a path finds counts if it is a string or an integer of 1 to 256 bytes")
{
    world all;
    all.settings.claims = {"a", "a.b", "https://example.com/tenant"};
    auto const found = [&](std::string_view claims) {
        std::string text;
        auto const seen = all.look_at(minting::key_of(algorithm::es256).token(good_payload(claims)));
        REQUIRE(seen.token);
        for (auto const& each : seen.token->claims) text.append(each.name).append("=").append(each.value).append(";");
        return text;
    };
    CHECK(found(R"(,"a":"x")") == "a=x;");
    CHECK(found(R"(,"a":{"b":"x"})") == "a.b=x;");
    CHECK(found(R"(,"a.b":"x")") == "a.b=x;");
    CHECK(found(R"(,"a.b":"x","a":{"b":"y"})").empty()); // which of the two?
    CHECK(found(R"(,"a.b":["x"],"a":{"b":"y"})").empty());
    CHECK(found(R"(,"https://example.com/tenant":"t")") == "https://example.com/tenant=t;");
    CHECK(found(R"(,"a":-5)") == "a=-5;");
    CHECK(found(R"(,"a":18446744073709551615)") == "a=18446744073709551615;");
    for (auto const* claim : {R"(,"a":"")", R"(,"a":["x"])", R"(,"a":{})", R"(,"a":null)", R"(,"a":true)", R"(,"a":false)",
                              R"(,"a":1.5)", R"(,"a":1e3)"})
        CHECK(found(claim).empty());
    CHECK(found(R"(,"a":")" + std::string(256, 'x') + '"') == "a=" + std::string(256, 'x') + ';');
    CHECK(found(R"(,"a":")" + std::string(257, 'x') + '"').empty());
}

} // namespace penstock::auth
