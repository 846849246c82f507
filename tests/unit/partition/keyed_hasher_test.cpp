#include "partition/keyed_hasher.hpp"

#include <doctest/doctest.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

using namespace penstock;

namespace {

constexpr partition::hash_secret::bytes secret_bytes{1, 2, 3, 4, 5, 6, 7, 8};
partition::hash_secret const secret{secret_bytes};

std::array<std::uint8_t, 16> hash_of(partition::hash_secret const& key, std::string_view text)
{
    partition::keyed_hasher hasher{key};
    hasher.update(text);
    return hasher.finish();
}

} // namespace

TEST_CASE("AK-5: the keyed hash is HMAC-SHA-256, cut to 128 bits")
{
    // RFC 4231, test case 2, its key padded with zeros to our 32 bytes: HMAC pads keys with zeros anyway.
    partition::hash_secret const jefe{{'J', 'e', 'f', 'e'}};
    std::array<std::uint8_t, 16> const expected{0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e,
                                                0x6a, 0x04, 0x24, 0x26, 0x08, 0x95, 0x75, 0xc7};
    std::string_view const text = "what do ya want for nothing?";
    CHECK(hash_of(jefe, text) == expected);
    CHECK(hash_of(secret, text) != expected);
}

TEST_CASE("AK-5: the keyed hash of bytes of any length, in any pieces, is that of OpenSSL's HMAC")
{
    std::string text;
    for (std::size_t size = 0; size < 300; ++size) {
        std::array<unsigned char, 32> expected;
        unsigned written = 0;
        REQUIRE(HMAC(EVP_sha256(), secret_bytes.data(), static_cast<int>(secret_bytes.size()),
                     reinterpret_cast<unsigned char const*>(text.data()), text.size(), expected.data(), &written) != nullptr);
        for (std::size_t const piece : {1, 31, 63, 64, 65, 500}) {
            CAPTURE(size);
            CAPTURE(piece);
            partition::keyed_hasher hasher{secret};
            for (std::size_t at = 0; at < size; at += piece) hasher.update(std::string_view{text}.substr(at, piece));
            auto const hash = hasher.finish();
            CHECK(std::equal(hash.begin(), hash.end(), expected.begin()));
        }
        text.push_back(static_cast<char>(size * 7 + 3));
    }
}
