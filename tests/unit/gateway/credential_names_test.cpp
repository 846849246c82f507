#include "gateway/credential_names.hpp"

#include <doctest/doctest.h>

#include <string>

using penstock::gateway::is_credential_name;

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

TEST_CASE("a name of any length is looked at in time that grows with its length")
{
    std::string name;
    while (name.size() < 60'000) name += "passcodepasscodepasscodepasscod-";
    CHECK(!is_credential_name(name));
    CHECK(is_credential_name(name + "passcode"));
    CHECK(is_credential_name(std::string(60'000, 'x')));
}
