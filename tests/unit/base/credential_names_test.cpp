#include "base/credential_names.hpp"

#include "base/credential_words.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using penstock::base::is_credential_name;
using penstock::base::may_be_credential_name;

TEST_CASE("OP-33, AK-4: names that say what a parameter carries, in every way to write words")
{
    for (auto const* name : {"key",
                             "KEY",
                             "keys",
                             "key2",
                             "_key",
                             "api_key",
                             "api-key",
                             "api.key",
                             "apikey",
                             "apiKey",
                             "ApiKEY",
                             "API_KEYS",
                             "x-api-key",
                             "xapikey",
                             "user[api_key]",
                             "my key",
                             "my+key",
                             "hapikey",
                             "token",
                             "Tokens",
                             "access_token",
                             "accessToken",
                             "accesstoken",
                             "AccessTokenV2",
                             "id_token",
                             "refreshtoken",
                             "authenticity_token",
                             "csrfToken",
                             "X-Amz-Security-Token",
                             "secret",
                             "client_secret",
                             "clientSecret",
                             "appsecret",
                             "password",
                             "passWord",
                             "userpassword",
                             "Passwd",
                             "pwd",
                             "pw",
                             "pass",
                             "passphrase",
                             "passcode",
                             "sig",
                             "signature",
                             "sign",
                             "X-Amz-Signature",
                             "X-Goog-Credential",
                             "AWSAccessKeyId",
                             "hmac",
                             "auth",
                             "Authorization",
                             "oauth_verifier",
                             "authkey",
                             "bearer",
                             "jwt",
                             "session",
                             "session_id",
                             "sessionid",
                             "PHPSESSID",
                             "jsessionid",
                             "sid",
                             "connect.sid",
                             "cookie",
                             "otp",
                             "pin",
                             "client_assertion",
                             "code",
                             "Code",
                             "credentials",
                             "sharedAccessSignature",
                             "a-word-that-has-more-letters-than-any/abcdefghijklmnopqrstuvwxyzabcdefg"}) {
        CAPTURE(name);
        CHECK(is_credential_name(name));
    }
}

TEST_CASE("names that merely contain the letters are shown")
{
    for (auto const* name :
         {"",        "1",       "-",          "monkey",    "monkeys",   "donkey",       "turkey",   "keyboard", "keyword",
          "author",  "authors", "co-author",  "authority", "secretary", "secretariat",  "tokenize", "design",   "assign",
          "signal",  "signup",  "compass",    "passenger", "passport",  "bypass",       "passes",   "side",     "sidebar",
          "inside",  "pint",    "spin",       "opinion",   "hockey",    "mykonos",      "page",     "q",        "user",
          "user_id", "api",     "app",        "site",      "postcode",  "country_code", "client",   "id",       "x",
          "s",       "xs",      "assessment", "obsession"}) {
        CAPTURE(name);
        CHECK(!is_credential_name(name));
    }
}

TEST_CASE("OP-33: words that hardly mean anything else tell, whatever stands in front of them in one word")
{
    for (auto const* name : {"wstoken",
                             "csrfmiddlewaretoken",
                             "requestverificationtoken",
                             "__RequestVerificationToken",
                             "confirmationtoken",
                             "activationtoken",
                             "registrationtoken",
                             "verifytoken",
                             "unsubscribetoken",
                             "downloadtoken",
                             "uploadtoken",
                             "feedtoken",
                             "rsstoken",
                             "sharetoken",
                             "guesttoken",
                             "jointoken",
                             "bottoken",
                             "pushtoken",
                             "fcmtoken",
                             "emailtoken",
                             "encryptedtoken",
                             "authenticationtoken",
                             "fooTOKENbar",
                             "tokenissuer",
                             "authentication",
                             "functionkey",
                             "streamkey",
                             "privkey",
                             "mapkey",
                             "googlekeys",
                             "geminikey",
                             "vapidkey",
                             "awsaccesskeyid",
                             "SAMLResponse",
                             "samlresponse",
                             "ticket",
                             "tkn",
                             "cred",
                             "psw",
                             "pswd",
                             "mfa",
                             "hdnts",
                             "cvv",
                             "code_verifier",
                             "ourpassword2",
                             "somesecret",
                             "apisignature",
                             "fooauth",
                             "foosid",
                             "foojwt",
                             "monkeytoken",
                             "commonkey",
                             "csrf",
                             "XSRF",
                             "hmacsha256",
                             "SAMLart",
                             "samlart",
                             "psk",
                             "wpa_psk",
                             "wpapsk",
                             "2fa",
                             "2FA",
                             "user_2fa_1",
                             "twofactor",
                             "jwe",
                             "macaroon",
                             "Macaroons",
                             "sas",
                             "sas_token",
                             "wmsAuthSign",
                             "wmsauthsign",
                             "mdp",
                             "motdepasse",
                             "senha",
                             "novaSenha",
                             "novasenha",
                             "wachtwoord"}) {
        CAPTURE(name);
        CHECK(is_credential_name(name));
    }
    for (auto const* name :
         {"whiskey",   "lackeys", "bypass",  "trespass", "possession", "tokenizer", "tokenised", "secretaries",
          "secretion", "insider", "keynote", "creditor", "credit",     "ticker",    "spinner",   "samples",
          "desenha",   "smart",   "2fast",   "3fa",      "alfa",       "2"}) {
        CAPTURE(name);
        CHECK(!is_credential_name(name));
    }
}

TEST_CASE("OP-33: a code tells by the word before it")
{
    for (auto const* name : {"reset_code",    "verification_code", "device_code",     "access_code",       "invite_code",
                             "recovery_code", "backup-code",       "resetcode",       "resetCode",         "RESET_CODE",
                             "user_code",     "2fa_code",          "my_reset_code_2", "verificationcodes", "reset[code]",
                             "magic_link",    "magicLink",         "login_hash",      "loginhash",         "magic_code"}) {
        CAPTURE(name);
        CHECK(is_credential_name(name));
    }
    for (auto const* name :
         {"country_code", "area_code", "postcode",  "zip_code",    "status_code",  "currencyCode", "language_code",
          "barcode",      "timecode",  "encode",    "code_page",   "codes",        "_code",        "__code",
          "link",         "hash",      "permalink", "commit_hash", "content-hash", "hyperlink"}) {
        CAPTURE(name);
        CHECK(!is_credential_name(name));
    }
}

TEST_CASE("names of counts and kinds are shown, though a word of them tells; what differs is not")
{
    for (auto const* name : {"max_tokens", "maxTokens", "MAX-TOKENS", "maxtokens", "prompt_tokens", "completionTokens",
                             "total_tokens", "session_type", "sessionType", "ticket_type", "sign_in", "pin_id"}) {
        CAPTURE(name);
        CHECK(!is_credential_name(name));
    }
    for (auto const* name : {"max_token", "my_max_tokens", "max_tokens_key", "tokens", "primary_key", "pin", "sign",
                             "session_type_id", "max__tokens", "_max_tokens_"}) {
        CAPTURE(name);
        CHECK(is_credential_name(name));
    }
}

TEST_CASE("AK-5: whatever the log hides by its name, a key hides; and more")
{
    for (auto const* name : {"token", "code", "otp", "pw", "pin", "x-hmac", "creds", "sign", "assertion", "reset_code",
                             "keyboard", "author", "sidebar"}) {
        CAPTURE(name);
        CHECK(may_be_credential_name(name));
    }
    for (auto const* name : {"", "q", "x-tenant", "sub", "country_code", "realm.tenant", "user_id"}) {
        CAPTURE(name);
        CHECK(!may_be_credential_name(name));
    }
}

namespace {

std::string repeated(std::string_view what, std::size_t size)
{
    std::string made;
    while (made.size() < size) made += what;
    return made;
}

} // namespace

// Each of these can be parted in more ways than can be tried one by one.
TEST_CASE("OP-33: a word of any length that can be parted in many ways is read once")
{
    using penstock::base::is_credential_word;
    for (std::string_view const part : {"otpototp", "sesssession", "credcreds", "totptotp", "xxsrf", "pinpwpw", "myidid"}) {
        CAPTURE(part);
        CHECK(!is_credential_word(repeated(part, 60'000) + "q"));
    }
    CHECK(is_credential_word(repeated("sesssessid", 60'000)));
    CHECK(is_credential_word(repeated("myid", 60'000) + "pins"));
    CHECK(!is_credential_word(repeated("myid", 60'000)));
}

TEST_CASE("OP-33: a name of any length is looked at, and a word too long to be one tells")
{
    for (std::string_view const part :
         {"credcredscredcredscredcredsq-", "barcode_", "codec.", "a1", "tokenizetokenize_", "donkey-"}) {
        CAPTURE(part);
        auto const name = repeated(part, 60'000);
        CHECK(!is_credential_name(name));
        CHECK(is_credential_name(name + "-pw"));
        CHECK(is_credential_name("pw-" + name));
    }
    CHECK(is_credential_name(std::string(60'000, 'x')));
}
