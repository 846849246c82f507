// Where a token stands in a request, and what the two questions about it answer.
#include "gateway/token_check.hpp"

#include "gateway/bearer.hpp"
#include "tests/unit/auth/tokens.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace penstock::gateway {
namespace {

using outcome = token_check::outcome;

struct request {
    explicit request(std::vector<base::field> its_fields, std::string_view query = {}) : fields(std::move(its_fields))
    {
        facts.fields = fields;
        facts.query = query;
    }
    std::vector<base::field> fields;
    base::request_facts facts;
};

bearer::presence how(std::vector<base::field> fields, std::string_view query = {})
{
    request const one(std::move(fields), query);
    auto const found = find_bearer(one.facts);
    auto const is_spoilt = found.how == bearer::presence::presented && !is_token68(found.token);
    return is_spoilt ? bearer::presence::malformed : found.how;
}

// A checker as a worker has it, and what it was told.
struct desk {
    explicit desk(auth::invalid_token on_invalid = auth::invalid_token::reject)
    {
        all.settings.on_invalid = on_invalid;
        all.settings.issuers[0].keys = all.keys[0];
        checker.emplace(all.settings, counts, base::hash_key{1, 2},
                        [this](std::string const& issuer) { asked.push_back(issuer); });
    }

    token_check check(std::string const& token, std::int64_t now_us = auth::now_us)
    {
        auto const value = "Bearer " + token;
        request const one({{"Authorization", value}});
        auto seen = checker->look(one.facts, now_us);
        if (seen.result == outcome::unverified) checker->verify(seen, now_us);
        seen.token = {}; // its request is gone
        return seen;
    }
    [[nodiscard]] std::uint64_t count(auth::refusal why) const { return counts[static_cast<std::size_t>(why)]; }

    auth::world all;
    token_counts counts{};
    std::vector<std::string> asked;
    std::optional<token_checker> checker;
};

std::string good_token(std::string_view more = R"(,"sub":"acme")")
{
    return minting::key_of(auth::algorithm::es256).token(auth::good_payload(more));
}

} // namespace

TEST_CASE("AK-3, AK-41, AK-42 where a token is presented, and how it must not be")
{
    using presence = bearer::presence;
    CHECK(how({}) == presence::absent);
    CHECK(how({{"Authorization", "Basic YTpi"}}) == presence::absent);
    for (auto const* value : {"BearerX a.b.c", "Bearer-X a.b.c", "Bearer.a.b.c", "Bearer_a.b.c", "XBearer a",
                              "\xa0"
                              "Basic a",
                              ",", "\xff"}) {
        CAPTURE(value);
        CHECK(how({{"Authorization", value}}) == presence::absent);
    }
    CHECK(how({{"Authorization", ""}}) == presence::absent);
    CHECK(how({{"X-Authorization", "Bearer a.b.c"}}) == presence::absent);
    CHECK(how({}, "access_token=a.b.c") == presence::absent);
    CHECK(how({{"Authorization", "Bearer a.b.c"}}) == presence::presented);
    CHECK(how({{"authorization", "bEARER   a.b.c"}}) == presence::presented);
    CHECK(find_bearer(request(std::vector<base::field>{{"authorization", "bEARER   a.b.c"}}).facts).token == "a.b.c");
    CHECK(how({{"Authorization", "Bearer a+/~b=="}}) == presence::presented); // no token of ours, but one that RFC 6750 allows
    CHECK(how({{"Authorization", "Bearer a.b.c"}}, "xaccess_token=1&access_tokens=2&access=3") == presence::presented);
    for (auto const* value : {"Bearer",
                              "Bearer ",
                              "Bearer =",
                              "Bearer a b",
                              "Bearer a,b",
                              "Bearer \"a\"",
                              "Bearer a=b",
                              "Bearer \ta",
                              "Bearer a\x80",
                              "Bearer\ta",
                              "bearer\t",
                              "Bearer\xa0"
                              "a",
                              "Bearer\xc2\xa0"
                              "a",
                              "Bearer=a",
                              "Bearer:a",
                              "Bearer,a",
                              "Bearer\"a\"",
                              "Bearer\x0b"
                              "a",
                              "Bearer\x1f"
                              "a",
                              "Bearer\x7f"
                              "a",
                              "\xa0"
                              "Bearer a",
                              ", Bearer a",
                              "\"Bearer a\""}) {
        CAPTURE(value);
        CHECK(how({{"Authorization", value}}) == presence::malformed);
    }
    CHECK(how({{"Authorization", "Bearer a"}, {"Authorization", "Bearer a"}}) == presence::malformed);
    CHECK(how({{"Authorization", "Bearer a"}, {"authorization", "Basic YTpi"}}) == presence::malformed);
    for (auto const* query :
         {"access_token=b", "x=1&access_token=b", "access_token", "%61ccess%5ftoken=b", "x&access%5Ftoken"}) {
        CAPTURE(query);
        CHECK(how({{"Authorization", "Bearer a"}}, query) == presence::malformed);
    }
}

TEST_CASE("AK-36, AK-44 a token that is not known yet is not verified by looking, and is known from then on")
{
    desk one;
    auto const value = "Bearer " + good_token();
    request const asked({{"Authorization", value}});
    auto seen = one.checker->look(asked.facts, auth::now_us);
    CHECK(seen.result == outcome::unverified);
    CHECK(!seen.accepted);
    one.checker->verify(seen, auth::now_us);
    CHECK(seen.result == outcome::valid);
    auto const again = one.checker->look(asked.facts, auth::now_us);
    CHECK(again.result == outcome::valid);
    CHECK(again.accepted == seen.accepted);
    CHECK(one.count(auth::refusal::none) == 1);
    CHECK(one.counts.back() == 1);

    base::request_facts facts;
    again.describe_in(facts);
    CHECK(facts.token_issuer == "https://id.example.com/");
    REQUIRE(facts.token_claims.size() == 1);
    CHECK(facts.token_claims[0].name == "sub");
    CHECK(facts.token_claims[0].value == "acme");
    token_check{}.describe_in(facts);
    CHECK(facts.token_issuer.empty());
    CHECK(facts.token_claims.empty());

    // Its end ends it here, too.
    auto const later = one.checker->look(asked.facts, auth::now_us + 330'000'000);
    CHECK(later.result == outcome::unverified);
}

TEST_CASE("AK-36 what is too long or has no three segments is refused by looking")
{
    desk one;
    auto const look = [&](std::string const& token) {
        auto const value = "Bearer " + token;
        request const asked({{"Authorization", value}});
        auto const seen = one.checker->look(asked.facts, auth::now_us);
        CHECK(seen.result == outcome::invalid);
        return auth::name_of(seen.why);
    };
    CHECK(look(std::string(16'384, 'A')) == "too_long");
    CHECK(look("a.b") == "format");
    CHECK(look("AAAA.AAAA.AAAA.AAAA.AAAA") == "format");
    CHECK(look("opaque~token") == "format");
    CHECK(one.count(auth::refusal::too_long) == 1);
    CHECK(one.count(auth::refusal::format) == 3);
}

TEST_CASE(
    "AK-40 what becomes of a token that is no good is the configuration's choice; a malformed request is refused either way")
{
    auto const expired = auth::now_us + 3'600'000'000;
    desk strict;
    CHECK(strict.check(good_token(), expired).result == outcome::invalid);
    CHECK(strict.check("a b").result == outcome::malformed);
    desk lenient(auth::invalid_token::anonymous);
    auto const seen = lenient.check(good_token(), expired);
    CHECK(seen.result == outcome::absent);
    CHECK(seen.why == auth::refusal::expired);
    CHECK(!seen.accepted);
    CHECK(lenient.count(auth::refusal::expired) == 1);
    CHECK(lenient.check("a b").result == outcome::malformed);
    CHECK(lenient.count(auth::refusal::request) == 1);
}

TEST_CASE("AK-35 a key that nobody knows is asked for once a second at most, and new keys end what the old ones verified")
{
    desk one;
    minting::signing_key const next(auth::algorithm::es256, "next");
    auto const token = next.token(auth::good_payload());
    for (int i = 0; i < 10; ++i) CHECK(one.check(token, auth::now_us + i).why == auth::refusal::key);
    CHECK(one.asked == std::vector<std::string>{"https://id.example.com/"});
    CHECK(one.check(token, auth::now_us + 1'000'000).why == auth::refusal::key);
    CHECK(one.asked.size() == 2);

    CHECK(one.check(good_token()).result == outcome::valid);
    std::array const accepted{auth::algorithm::es256};
    one.checker->install("https://id.example.com/", auth::parse_key_set(minting::jwks(next.jwk()), accepted).keys);
    one.checker->install("https://nobody.example.com/", nullptr); // dropped by a reload
    CHECK(one.check(token).result == outcome::valid);
    CHECK(one.check(good_token()).why == auth::refusal::key);
    one.checker->install("https://id.example.com/", nullptr);
    CHECK(one.check(token).why == auth::refusal::no_keys);
}

} // namespace penstock::gateway
