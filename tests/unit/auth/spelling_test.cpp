// The small strict readers: base64url, JSON, addresses of key sets.
#include "auth/base64url.hpp"
#include "auth/strict_json.hpp"
#include "auth/web_address.hpp"
#include "tests/unit/auth/minting.hpp"

#include <doctest/doctest.h>

#include <random>

namespace penstock::auth {

TEST_CASE("AK-27 base64url: every text has one spelling, and every spelling one text")
{
    std::mt19937 random{7};
    for (std::size_t size = 0; size < 70; ++size) {
        std::string bytes;
        for (std::size_t i = 0; i < size; ++i) bytes.push_back(static_cast<char>(random()));
        auto const text = minting::base64url(bytes);
        CAPTURE(text);
        CHECK(decode_base64url(text) == bytes);
    }
    for (auto const* wrong : {"A", "AAAAA", "AB=", "AA==", "A+AA", "A/AA", "AA AA", "AA\n", "AB", "AAB", "A.AA", "\xff\xff"}) {
        CAPTURE(wrong);
        CHECK(!decode_base64url(wrong));
    }
    CHECK(decode_base64url("AA") == std::string(1, '\0'));
}

TEST_CASE("AK-27 JSON: depth, names that stand twice, and what the parser itself would let pass")
{
    CHECK(parse_strict(R"({"a":{"b":1},"c":{"b":2}})", 2));
    CHECK(!parse_strict(R"({"a":{"b":1,"b":2}})", 2));
    CHECK(!parse_strict(R"({"a":{"b":{}}})", 2));
    CHECK(!parse_strict(R"({"a":[[1]]})", 2));
    CHECK(parse_strict(R"([{"a":1},{"a":2}])", 2));
    for (auto const* wrong : {"", " ", "{", "{}{}", "{} x", "{'a':1}", "{\"a\":1,}", "{\"a\":01}", "{\"a\":1e999}", "NaN",
                              "\xef\xbb\xbf{}", "{\"a\":\"\x01\"}", "{\"a\":\"\xc0\x80\"}", "// x\n{}"}) {
        CAPTURE(wrong);
        CHECK(!parse_strict(wrong, 8));
    }
    CHECK(!parse_strict(std::string_view("{}\0", 3), 8));
    CHECK(!parse_strict(std::string(100'000, '['), 8));
    CHECK(find_text(*parse_strict(R"({"a":"x","b":1})", 1), "a") != nullptr);
    CHECK(find_text(*parse_strict(R"({"a":"x","b":1})", 1), "b") == nullptr);
}

TEST_CASE("AK-34 where keys are fetched from")
{
    auto const https = parse_web_address("https://id.example.com/keys?v=1");
    REQUIRE(https);
    CHECK(https->how == web_address::scheme::https);
    CHECK(https->host == "id.example.com");
    CHECK(https->port == "443");
    CHECK(https->authority == "id.example.com");
    CHECK(https->target == "/keys?v=1");
    CHECK(!https->is_loopback());
    auto const v6 = parse_web_address("HTTP://[::1]:8080");
    REQUIRE(v6);
    CHECK(v6->how == web_address::scheme::http);
    CHECK(v6->host == "::1");
    CHECK(v6->port == "8080");
    CHECK(v6->authority == "[::1]:8080");
    CHECK(v6->target == "/");
    CHECK(v6->is_loopback());
    CHECK(parse_web_address("http://127.1.2.3/")->is_loopback());
    CHECK(parse_web_address("http://localhost/")->is_loopback());
    CHECK(!parse_web_address("http://localhost.example.com/")->is_loopback());
    CHECK(parse_web_address("https://h?x")->target == "/?x");
    CHECK(parse_web_address("https://h:65535/")->port == "65535");
    CHECK(parse_web_address("https://1.2.3.4:1/?a=//b")->host == "1.2.3.4");
    CHECK(parse_web_address("https://1.2.3.example.com/")->host == "1.2.3.example.com");
    for (auto const* wrong :
         {"", "id.example.com", "/keys", "ftp://h/", "file:///etc/passwd", "https://", "https:///x", "https://u:p@h/",
          "https://h/#f", "https://h/a b", "https://h:x/", "https://h:/", "https://h/\r\nX: y", "https://h:0/", "https://h:00",
          "https://h:65536/", "https://h:99999", "https://h:4294967739/", "https://h:18446744073709552059/",
          // Hosts that two readers take for two.
          "http://127.0.0.1.keys.example.com:8080/jwks.json", "https://1.2.3.4.example.com/x", "https://1.2.3.4x/",
          "https://1.2.3.4%2eexample.com/", "https://1.2.3.4:80:80/", "https://[::1].example.com/", "https://[::1]x:80/",
          "https://1.2.3.4\\@example.com/", "https://example.com\\@h/"}) {
        CAPTURE(wrong);
        CHECK(!parse_web_address(wrong));
    }
}

} // namespace penstock::auth
