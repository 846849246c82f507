// The published vectors: RFC 7515 appendix A, RFC 7520 section 4, RFC 8037 appendix A.4; and which of them stay outside.
#include "auth/base64url.hpp"
#include "auth/compact_token.hpp"
#include "auth/key_set.hpp"
#include "auth/verify.hpp"
#include "tests/unit/auth/minting.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>

namespace penstock::auth {
namespace {

constexpr std::int64_t before_exp_us = 1'300'819'000'000'000; // of RFC 7515's payload

// RFC 7515 A.1: a secret of 64 bytes. RFC 7520 section 4.4.
constexpr std::string_view a1_secret = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
constexpr std::string_view a1_token =
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19"
    "yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
constexpr std::string_view a2_token =
    "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQ"
    "jbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqt"
    "FZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
constexpr std::string_view a2_key =
    R"({"kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"})";
constexpr std::string_view a3_token =
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
constexpr std::string_view a3_key =
    R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})";
// RFC 7520 section 4: its payload is prose, so only the signature can be looked at.
constexpr std::string_view prose =
    "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlv"
    "dSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4";
constexpr std::string_view bilbo_key =
    R"({"kty":"RSA","kid":"bilbo.baggins@hobbiton.example","use":"sig","e":"AQAB","n":"n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw"})";

token_settings settings_for(std::string_view issuer_name, algorithm use)
{
    token_settings made;
    made.issuers.push_back({.name = std::string(issuer_name),
                            .audiences = {},
                            .algorithms = {use},
                            .type = {},
                            .scopes = {},
                            .source = {},
                            .keys = {}});
    made.claims = {"http://example.com/is_root"};
    return made;
}

key_set_ptr set_of(std::string_view jwk, algorithm use)
{
    std::array const accepted{use};
    return parse_key_set(R"({"keys":[)" + std::string(jwk) + "]}", accepted).keys;
}

bool is_signed(std::string_view jwk, algorithm use, std::string const& text, std::string_view signature)
{
    auto const keys = set_of(jwk, use);
    REQUIRE(keys);
    auto const* key = keys->find(nullptr, use);
    REQUIRE(key);
    return verify_signature(*key, text, *decode_base64url(signature));
}

} // namespace

TEST_CASE("AK-24 RFC 7515 A.1 to A.3: accepted whole; the boolean claim that they carry names nobody (AK-38)")
{
    struct row {
        std::string_view name;
        algorithm use;
        key_set_ptr keys;
        std::string_view token;
    };
    std::array const rows{
        row{"A.1", algorithm::hs256, key_set_of_secret(*decode_base64url(a1_secret)), a1_token},
        row{"A.2", algorithm::rs256, set_of(a2_key, algorithm::rs256), a2_token},
        row{"A.3", algorithm::es256, set_of(a3_key, algorithm::es256), a3_token},
    };
    for (auto const& each : rows) {
        CAPTURE(each.name);
        auto const settings = settings_for("joe", each.use);
        REQUIRE(each.keys);
        std::array const keys{each.keys};
        auto const seen = verify(settings, keys, each.token, before_exp_us);
        CHECK(name_of(seen.why) == name_of(refusal::none));
        REQUIRE(seen.token);
        CHECK(seen.token->claims.empty());
        CHECK(name_of(verify(settings, keys, each.token, before_exp_us + 1'000'000'000).why) == name_of(refusal::expired));
        auto forged = std::string(each.token);
        forged[forged.size() - 5] = forged[forged.size() - 5] == 'A' ? 'B' : 'A';
        CHECK(name_of(verify(settings, keys, forged, before_exp_us).why) == name_of(refusal::signature));
        for (auto const other : all_algorithms) { // AK-21: the token does not choose
            if (other == each.use) continue;
            CHECK(name_of(verify(settings_for("joe", other), keys, each.token, before_exp_us).why) ==
                  name_of(refusal::algorithm));
        }
    }
}

TEST_CASE("AK-24 RFC 7520 4.1 and 4.4, RFC 8037 A.4: the signatures hold, and no other text has them")
{
    std::string const rs256 = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9." + std::string(prose);
    constexpr std::string_view rs256_signature =
        "MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII7PNDi84wnB-BDkoBwA7818"
        "5hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_"
        "de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg";
    CHECK(is_signed(bilbo_key, algorithm::rs256, rs256, rs256_signature));
    CHECK(!is_signed(bilbo_key, algorithm::rs256, rs256 + 'A', rs256_signature));
    CHECK(!is_signed(bilbo_key, algorithm::ps256, rs256, rs256_signature));

    auto const hmac_keys = key_set_of_secret(*decode_base64url("hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg"));
    auto const* hmac_key = hmac_keys->find(nullptr, algorithm::hs256);
    REQUIRE(hmac_key);
    std::string const hs256 =
        "eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9." + std::string(prose);
    auto const mac = *decode_base64url("s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0");
    CHECK(verify_signature(*hmac_key, hs256, mac));
    CHECK(!verify_signature(*hmac_key, hs256 + 'A', mac));
    CHECK(!verify_signature(*hmac_key, hs256, mac.substr(1)));

    constexpr std::string_view ed25519_key =
        R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";
    constexpr std::string_view ed25519_signature =
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    std::string const ed25519 = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    CHECK(is_signed(ed25519_key, algorithm::eddsa, ed25519, ed25519_signature));
    CHECK(!is_signed(ed25519_key, algorithm::ed25519, ed25519 + 'A', ed25519_signature));
}

TEST_CASE("AK-24 what is not supported is refused by its name: RFC 7515 A.4 (ES512), A.5 (none), RFC 7520 4.2 (PS384)")
{
    auto const settings = settings_for("joe", algorithm::es256);
    std::array const keys{set_of(a3_key, algorithm::es256)};
    constexpr std::string_view payload = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODB9";
    for (auto const* header : {R"({"alg":"ES512"})", R"({"alg":"PS384"})", R"({"alg":"none"})", R"({"alg":"RS512"})"}) {
        CAPTURE(header);
        auto const token = minting::base64url(header) + '.' + std::string(payload) + ".AAAA";
        CHECK(name_of(verify(settings, keys, token, before_exp_us).why) == name_of(refusal::algorithm));
    }
    // RFC 7515 A.5 as it stands has an empty signature: it does not come as far as its header (AK-22).
    CHECK(name_of(verify(settings, keys, "eyJhbGciOiJub25lIn0." + std::string(payload) + '.', before_exp_us).why) ==
          name_of(refusal::format));
}

} // namespace penstock::auth
