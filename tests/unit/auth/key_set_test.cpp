// Reading JWK sets: what is taken, what is left out, what is refused and why (AK-23, AK-24, AK-34).
#include "tests/unit/auth/tokens.hpp"

#include <doctest/doctest.h>

namespace penstock::auth {
namespace {

using minting::jwks;
using minting::key_of;

read_key_set read(std::string const& text, std::vector<algorithm> const& accepted = public_algorithms())
{
    return parse_key_set(text, accepted);
}

std::string first_note(read_key_set const& seen)
{
    if (seen.notes.empty()) return {};
    auto const& note = seen.notes.front();
    return (note.what == key_note::kind::refused ? "refused: " : "left out: ") + note.why;
}

std::string const good = key_of(algorithm::es256).jwk();

} // namespace

TEST_CASE("AK-34 one key of an unknown kind beside a good one: the good one works")
{
    for (auto const* other : {R"({"kty":"XYZ","kid":"q"})", R"({"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"})",
                              R"({"kty":"OKP","crv":"X25519","x":"AA"})", R"({"kty":"oct","k":"c2VjcmV0"})",
                              R"({"kty":"EC","crv":"P-256","use":"enc","x":"AA","y":"AA"})",
                              R"({"kty":"EC","crv":"P-256","key_ops":["encrypt"],"x":"AA","y":"AA"})",
                              R"({"kty":"EC","crv":"P-256","key_ops":"verify","x":"AA","y":"AA"})",
                              R"({"kty":"RSA","alg":"RS512","n":"AQ","e":"AQAB"})"}) {
        CAPTURE(other);
        auto const seen = read(jwks(other, good));
        REQUIRE(seen.keys);
        CHECK(seen.keys->size() == 1);
        REQUIRE(seen.notes.size() == 1);
        CHECK(seen.notes[0].what == key_note::kind::left_out);
        std::string const id = "issuer-ES256";
        CHECK(seen.keys->find(&id, algorithm::es256) != nullptr);
    }
}

TEST_CASE("AK-24 weak and broken keys are refused, and the reason holds no part of the key")
{
    auto const rsa_with = [](std::string const& n, std::string const& e) {
        return R"({"kty":"RSA","n":")" + n + R"(","e":")" + e + R"("})";
    };
    std::string const big = minting::base64url(std::string(256, '\xff'));
    struct row {
        char const* name;
        std::string jwk;
        char const* expected;
    };
    std::array const rows{
        row{"RSA of 1024 bits", minting::signing_key(algorithm::rs256, "weak", 1024).jwk(),
            "refused: its RSA modulus has 1024 bits; 2048 to 8192 are accepted"},
        row{"RSA of 16384 bits", rsa_with(minting::base64url(std::string(2048, '\xff')), "AQAB"),
            "refused: its RSA modulus has more than 8192 bits"},
        row{"an even exponent", rsa_with(big, "Ag"),
            "refused: its RSA exponent is even, 1 or longer than 32 bits; 65537 is usual"},
        row{"an exponent of 1", rsa_with(big, "AQ"),
            "refused: its RSA exponent is even, 1 or longer than 32 bits; 65537 is usual"},
        row{"an exponent of 40 bits", rsa_with(big, "AQAAAAE"),
            "refused: its RSA exponent is even, 1 or longer than 32 bits; 65537 is usual"},
        row{"no modulus", R"({"kty":"RSA","e":"AQAB"})", "refused: its RSA modulus has 0 bits; 2048 to 8192 are accepted"},
        row{"a point beside its curve",
            R"({"kty":"EC","crv":"P-256","x":")" + minting::base64url(std::string(32, 1)) + R"(","y":")" +
                minting::base64url(std::string(32, 1)) + R"("})",
            "refused: its coordinates are no point of its curve"},
        row{"a coordinate cut short", R"({"kty":"EC","crv":"P-256","x":"AQ","y":"AQ"})",
            "refused: its coordinates are no point of its curve"},
        row{"an Ed25519 key of 31 bytes",
            R"({"kty":"OKP","crv":"Ed25519","x":")" + minting::base64url(std::string(31, 1)) + R"("})",
            "refused: its x is no Ed25519 key of 32 bytes"},
        row{"alg of another kind of key", R"({"kty":"EC","crv":"P-256","alg":"ES384","x":"AQ","y":"AQ"})",
            "refused: its alg does not go with its kty and crv"},
        row{"no kty", R"({"kid":"a"})", "refused: it is no key with a kty"},
        row{"no object", R"("key")", "refused: it is no key with a kty"},
        row{"kid a number", R"({"kty":"EC","crv":"P-256","kid":7,"x":"AQ","y":"AQ"})",
            "refused: its kid is no string of at most 256 bytes"},
        row{"kid too long", R"({"kty":"EC","crv":"P-256","kid":")" + std::string(257, 'k') + R"(","x":"AQ","y":"AQ"})",
            "refused: its kid is no string of at most 256 bytes"},
        row{"a private key", R"({"kty":"EC","crv":"P-256","d":"AQ",)" + good.substr(good.find("\"x\"")),
            "refused: it holds its private half, with which whoever reads it can sign; publish public keys only"},
        row{"a private key for something else", R"({"kty":"RSA","use":"enc","n":"AQ","e":"AQAB","dp":"AQ"})",
            "refused: it holds its private half, with which whoever reads it can sign; publish public keys only"},
    };
    for (auto const& each : rows) {
        CAPTURE(each.name);
        CHECK(first_note(read(jwks(each.jwk, good))) == each.expected);
        CHECK(read(jwks(each.jwk, good)).keys);
        auto const alone = read(jwks(each.jwk));
        CHECK(!alone.keys);
        CHECK(alone.problem == "has no key that can verify a token of this issuer");
    }
}

TEST_CASE("AK-24 an Ed25519 key is a point in its one spelling, and none under which anybody can sign")
{
    auto const note_of = [](std::string const& x) {
        auto const jwk = R"({"kty":"OKP","crv":"Ed25519","x":")" + minting::base64url(x) + R"("})";
        return first_note(read(jwks(jwk, good)));
    };
    auto const bytes_of = [](std::string_view hex) {
        std::string made;
        for (std::size_t i = 0; i < hex.size(); i += 2)
            made += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
        return made;
    };
    std::string const refused = "refused: its x is no point of Ed25519's curve, or one under which anybody can sign";
    std::string const middle(60, 'f');
    std::string const zeros(60, '0');
    for (auto const& hex :
         std::vector<std::string>{// Of order 1, 2, 4 and 8.
                                  "01" + zeros + "00", "ec" + middle + "7f", "00" + zeros + "00", "00" + zeros + "80",
                                  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
                                  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
                                  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
                                  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
                                  // The same in other spellings: minus zero, and y that is not below the prime.
                                  "01" + zeros + "80", "ec" + middle + "ff", "ed" + middle + "7f", "ed" + middle + "ff",
                                  "ee" + middle + "7f", "ee" + middle + "ff", "ff" + middle + "ff",
                                  // No points.
                                  "02" + zeros + "00", "07" + zeros + "00"}) {
        CAPTURE(hex);
        REQUIRE(hex.size() == 64);
        CHECK(note_of(bytes_of(hex)) == refused);
    }
    CHECK(note_of(bytes_of("5866666666666666666666666666666666666666666666666666666666666666")).empty()); // the base point
    for (int i = 0; i < 100; ++i) {
        auto const jwk = minting::signing_key(algorithm::ed25519, "a").jwk();
        CAPTURE(jwk);
        CHECK(first_note(read(jwks(jwk, good))).empty());
    }
}

TEST_CASE("AK-23 a key serves one algorithm: its own, or the first of the issuer's that it fits")
{
    auto const rsa = key_of(algorithm::rs256).jwk();
    auto const by_default = read(jwks(rsa), {algorithm::ps256, algorithm::rs256});
    REQUIRE(by_default.keys);
    CHECK(by_default.keys->find(nullptr, algorithm::ps256) != nullptr);
    CHECK(by_default.keys->find(nullptr, algorithm::rs256) == nullptr);
    auto const named = read(jwks(key_of(algorithm::rs256).jwk(R"(,"alg":"RS256")")), {algorithm::ps256, algorithm::rs256});
    REQUIRE(named.keys);
    CHECK(named.keys->find(nullptr, algorithm::ps256) == nullptr);
    CHECK(named.keys->find(nullptr, algorithm::rs256) != nullptr);
    CHECK(!read(jwks(rsa), {algorithm::es256}).keys);
    // RFC 9864: one algorithm, two names.
    auto const edwards = read(jwks(key_of(algorithm::eddsa).jwk(R"(,"alg":"EdDSA")")), {algorithm::ed25519});
    REQUIRE(edwards.keys);
    CHECK(edwards.keys->find(nullptr, algorithm::ed25519) != nullptr);
}

TEST_CASE("AK-34 a set as a whole: bounds, form, and kids that stand twice")
{
    CHECK(read("").problem == "is no JSON object in which every name stands once");
    CHECK(read("[]").problem == "is no JSON object in which every name stands once");
    CHECK(read("<html>").problem == "is no JSON object in which every name stands once");
    CHECK(read(R"({"keys":[],"keys":[]})").problem == "is no JSON object in which every name stands once");
    CHECK(read("{}").problem == "has no list of keys");
    CHECK(read(R"({"keys":{}})").problem == "has no list of keys");
    CHECK(read(R"({"keys":[]})").problem == "has no key that can verify a token of this issuer");
    CHECK(read(std::string(most_key_set_bytes + 1, ' ')).problem == "is larger than 256 KiB");
    std::string many = R"({"keys":[{})";
    for (std::size_t i = 0; i < most_keys; ++i) many += ",{}";
    CHECK(read(many + "]}").problem == "has more than 100 keys");

    auto const twice = read(jwks(good, minting::signing_key(algorithm::es256, "issuer-ES256").jwk()));
    REQUIRE(twice.keys);
    CHECK(twice.keys->size() == 1);
    CHECK(first_note(twice) == "refused: its kid is that of another key for the same algorithm");
    // Two kinds of key may share one.
    CHECK(read(jwks(good, minting::signing_key(algorithm::es384, "issuer-ES256").jwk())).keys->size() == 2);
}

} // namespace penstock::auth
