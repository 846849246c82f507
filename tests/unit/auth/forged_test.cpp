// RFC 8725: kinds of tokens that must not be accepted, each made for the purpose, most of them signed by somebody.
#include "auth/compact_token.hpp"
#include "tests/unit/auth/tokens.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace penstock::auth {
namespace {

struct forgery {
    char const* name;
    std::string token;
    char const* expected;
};

minting::signing_key const& ours() { return minting::key_of(algorithm::es256); }
minting::signing_key const& rsa() { return minting::key_of(algorithm::rs256); }

std::string good() { return ours().token(good_payload()); }

std::string with_header(std::string_view header) { return ours().token(header, good_payload()); }

// Three segments, the last one replaced.
std::string with_signature(std::string_view signature)
{
    auto const token = good();
    return token.substr(0, token.rfind('.') + 1) + std::string(signature);
}

std::string with_bytes(std::string_view signature) { return with_signature(minting::base64url(signature)); }

std::string signed_text()
{
    auto const token = good();
    return token.substr(0, token.rfind('.'));
}

// The same bytes in another spelling: pad bits set in the last character of the signature.
std::string with_pad_bits()
{
    auto token = good(); // 64 bytes end with two characters for one byte
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    token.back() = alphabet[alphabet.find(token.back()) ^ 1U];
    return token;
}

std::string other_payload_same_signature()
{
    auto const token = good();
    auto const first = token.find('.');
    return token.substr(0, first + 1) + minting::base64url(good_payload(R"(,"sub":"victim")")) + token.substr(token.rfind('.'));
}

std::string nested(int depth)
{
    return ",\"deep\":" + std::string(static_cast<std::size_t>(depth), '[') + std::string(static_cast<std::size_t>(depth), ']');
}

std::string no_signature_of(std::string_view algorithm_name)
{
    return minting::base64url(R"({"alg":")" + std::string(algorithm_name) + R"("})") + '.' +
           minting::base64url(good_payload()) + '.';
}

std::string named(std::string_view algorithm_name)
{
    return with_header(R"({"alg":)" + std::string(algorithm_name) + R"(,"kid":"issuer-ES256"})");
}

std::vector<forgery> all_forgeries()
{
    auto const der = ours().der_signature(signed_text());
    auto const raw = ours().signature(signed_text());
    auto const& stranger = minting::key_of(algorithm::es256, "stranger");
    auto const swapped = raw.substr(32) + raw.substr(0, 32);
    std::string const zeros(64, '\0');
    return {
        // AK-22: no signature at all
        {"alg none, empty signature", no_signature_of("none"), "format"},
        {"alg None with a signature", named(R"("None")"), "algorithm"},
        {"alg NONE with a signature", named(R"("NONE")"), "algorithm"},
        {"alg nOnE with a signature", named(R"("nOnE")"), "algorithm"},
        {"alg none with a signature", named(R"("none")"), "algorithm"},
        {"empty signature under a good algorithm", with_signature(""), "format"},
        // AK-21: algorithms that are spelled or typed otherwise
        {"alg in lower case", named(R"("es256")"), "algorithm"},
        {"alg with a blank", named(R"(" ES256")"), "algorithm"},
        {"alg a list", named(R"(["ES256"])"), "algorithm"},
        {"alg null", named("null"), "algorithm"},
        {"alg a number", named("256"), "algorithm"},
        {"alg empty", named(R"("")"), "algorithm"},
        {"alg missing", with_header(R"({"kid":"issuer-ES256"})"), "algorithm"},
        {"alg RS384", named(R"("RS384")"), "algorithm"},
        {"alg of another key", named(R"("RS256")"), "key"},
        // AK-23: a public key as the secret of an HMAC
        {"HS256 with the PEM of the RSA key",
         minting::hs256(rsa().pem(), R"({"alg":"HS256","kid":"issuer-RS256"})", good_payload()), "algorithm"},
        {"HS256 with the JWK of the RSA key", minting::hs256(rsa().jwk(), R"({"alg":"HS256"})", good_payload()), "algorithm"},
        {"HS256 with an empty secret", minting::hs256("", R"({"alg":"HS256"})", good_payload()), "algorithm"},
        {"PS256 by the key for RS256",
         minting::key_of(algorithm::ps256).token(R"({"alg":"PS256","kid":"issuer-RS256"})", good_payload()), "key"},
        // AK-25: signatures of ECDSA
        {"DER in place of R and S", with_bytes(der), "signature"},
        {"R and S exchanged", with_bytes(swapped), "signature"},
        {"R and S of 0", with_bytes(zeros), "signature"},
        {"one byte short", with_bytes(raw.substr(0, 63)), "signature"},
        {"one byte long", with_bytes(raw + '\0'), "signature"},
        {"a signature of another token",
         with_signature(ours().token(good_payload(",\"x\":1")).substr(ours().token(good_payload(",\"x\":1")).rfind('.') + 1)),
         "signature"},
        // AK-20, AK-31
        {"another payload under the same signature", other_payload_same_signature(), "signature"},
        {"a stranger's key with our kid", stranger.token(R"({"alg":"ES256","kid":"issuer-ES256"})", good_payload()),
         "signature"},
        {"a stranger's key with a kid of its own", stranger.token(good_payload()), "key"},
        // AK-29: keys that the token brings along
        {"jwk in the header", stranger.token(R"({"alg":"ES256","jwk":)" + stranger.jwk() + '}', good_payload()), "signature"},
        {"jku in the header", stranger.token(R"({"alg":"ES256","jku":"https://canary.example/"})", good_payload()),
         "signature"},
        {"x5u in the header", stranger.token(R"({"alg":"ES256","x5u":"https://canary.example/"})", good_payload()),
         "signature"},
        {"x5c in the header", stranger.token(R"({"alg":"ES256","x5c":["MIIB"]})", good_payload()), "signature"},
        // AK-28
        {"crit names exp", with_header(R"({"alg":"ES256","crit":["exp"],"exp":1})"), "critical"},
        {"crit empty", with_header(R"({"alg":"ES256","crit":[]})"), "critical"},
        {"crit names what is absent", with_header(R"({"alg":"ES256","crit":["x"]})"), "critical"},
        {"b64 false", with_header(R"({"alg":"ES256","b64":false,"crit":["b64"]})"), "critical"},
        {"b64 without crit", with_header(R"({"alg":"ES256","b64":false})"), "critical"},
        // AK-26, AK-27, AK-37: spellings
        {"two segments", signed_text(), "format"},
        {"one segment", "abcd", "format"},
        {"four segments", good() + ".AAAA", "format"},
        {"five segments, as an encrypted token has them", "eyJhbGciOiJSU0ExXzUifQ.AAAA.AAAA.AAAA.AAAA", "format"},
        {"padding", good() + "==", "format"},
        {"a plus sign", with_signature("+AAA"), "format"},
        {"a slash", with_signature("/AAA"), "format"},
        {"a blank inside", good().insert(10, " "), "format"},
        {"a line break behind", good() + "\n", "format"},
        {"a NUL behind", good() + std::string(1, '\0'), "format"},
        {"pad bits that are set", with_pad_bits(), "format"},
        {"a JSON serialisation", R"({"payload":"e30","signatures":[]})", "format"},
        {"a signature of an impossible length", with_signature("AAAAA"), "format"},
        {"a header that is no object", with_header(R"(["ES256"])"), "format"},
        {"a header that is no JSON", with_header("alg=ES256"), "format"},
        {"a header with alg twice", with_header(R"({"alg":"ES256","alg":"none"})"), "format"},
        {"a header with alg twice, once escaped", with_header("{\"alg\":\"ES256\",\"\\u0061lg\":\"none\"}"), "format"},
        {"a header with text behind", with_header(R"({"alg":"ES256"}x)"), "format"},
        {"a header with a byte-order mark", with_header("\xef\xbb\xbf{\"alg\":\"ES256\"}"), "format"},
        {"a header with a NUL and text behind", with_header(std::string("{\"alg\":\"ES256\"}\0{}", 18)), "format"},
        {"a header that is no UTF-8", with_header("{\"alg\":\"ES256\",\"x\":\"\xff\"}"), "format"},
        {"a payload with a claim twice", ours().token(good_payload(R"(,"sub":"a","sub":"victim")")), "format"},
        {"a payload that is a list", ours().token("[]"), "format"},
        {"a payload with a comment", ours().token(good_payload(",/**/\"a\":1")), "format"},
        {"a payload nine levels deep", ours().token(good_payload(nested(8))), "format"},
        {"a payload a thousand levels deep", ours().token(good_payload(nested(1000))), "format"},
        // AK-36
        {"a token of 16 KiB", ours().token(good_payload(R"(,"x":")" + std::string(12'000, 'x') + '"')), "too_long"},
        // AK-30 to AK-33
        {"exp as a string", ours().token(R"({"iss":"https://id.example.com/","aud":"api","exp":"9999999999"})"), "claims"},
        {"no exp", ours().token(R"({"iss":"https://id.example.com/","aud":"api"})"), "claims"},
        {"no iss", ours().token(R"({"aud":"api","exp":9999999999})"), "issuer"},
        {"iss a list", ours().token(R"({"iss":["https://id.example.com/"],"aud":"api","exp":9999999999})"), "claims"},
        {"for somebody else", ours().token(R"({"iss":"https://id.example.com/","aud":"web","exp":9999999999})"), "audience"},
    };
}

} // namespace

TEST_CASE(
    "AK-20, AK-21, AK-22, AK-23, AK-25, AK-26, AK-27, AK-28, AK-29, AK-30, AK-31, AK-32, AK-36, AK-37 (RFC 8725): every kind of "
    "forged token is refused, for the reason that it was made for")
{
    world const all;
    REQUIRE(all.refusal_of(good()) == "accepted");
    auto const forgeries = all_forgeries();
    CHECK(forgeries.size() >= 30);
    for (auto const& each : forgeries) {
        CAPTURE(each.name);
        CHECK(all.refusal_of(each.token) == each.expected);
        CHECK(!all.look_at(each.token).token);
    }
}

TEST_CASE("AK-27 a payload eight levels deep is read, and each of these is a matter of one byte")
{
    world const all;
    CHECK(all.refusal_of(ours().token(good_payload(nested(7)))) == "accepted");
    auto const longest = good_payload(R"(,"x":"")");
    // The longest token that is looked at, and one byte more.
    std::string token;
    for (std::size_t pad = 5'800; token.size() < longest_token; ++pad)
        token = ours().token(good_payload(R"(,"x":")" + std::string(pad, 'x') + '"'));
    CHECK((token.size() == longest_token ? all.refusal_of(token) == "accepted" : all.refusal_of(token) == "too_long"));
    CHECK(all.refusal_of(token + std::string(longest_token, 'A')) == "too_long");
    CHECK(!split_token(std::string(longest_token + 1, 'A')));
}

TEST_CASE("AK-23 the secret of HS256 is the only thing that HS256 is verified with, also where public keys are known")
{
    world all;
    auto const header = R"({"alg":"HS256","kid":"issuer-RS256"})";
    all.settings.issuers[0].algorithms.push_back(algorithm::hs256); // `check` refuses this; the keys still do not fit
    CHECK(all.refusal_of(minting::hs256(rsa().pem(), header, good_payload())) == "key");
    CHECK(all.refusal_of(minting::hs256("", header, good_payload())) == "key");
}

TEST_CASE("AK-26 no byte of a good token can be changed, removed or added")
{
    world const all;
    auto const token = ours().token(R"({"alg":"ES256"})", good_payload());
    std::size_t accepted = 0;
    for (std::size_t i = 0; i < token.size(); ++i) {
        auto changed = token;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        auto shorter = token;
        shorter.erase(i, 1);
        for (auto const& each : {changed, shorter}) accepted += all.look_at(each).token != nullptr ? 1 : 0;
    }
    CHECK(accepted == 0);
}

} // namespace penstock::auth
