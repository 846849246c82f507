#include "partition/sha256.hpp"

#include <doctest/doctest.h>
#include <openssl/evp.h>

#include <string>
#include <string_view>

using namespace penstock::partition;

namespace {

sha256_digest by_openssl(std::string_view text)
{
    sha256_digest digest;
    REQUIRE(EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr) == 1);
    return digest;
}

} // namespace

TEST_CASE("FIPS 180-4: the digest of bytes of any length, in any pieces, is that of OpenSSL")
{
    std::string text;
    for (std::size_t size = 0; size < 300; ++size) {
        CAPTURE(size);
        auto const expected = by_openssl(text);
        CHECK(digest_of(text) == expected);
        for (std::size_t const piece : {1, 31, 63, 64, 65}) {
            CAPTURE(piece);
            sha256 hash;
            for (std::size_t at = 0; at < size; at += piece) hash.update(std::string_view{text}.substr(at, piece));
            CHECK(hash.finish() == expected);
        }
        text.push_back(static_cast<char>(size * 7 + 3));
    }
}

TEST_CASE("a digest goes on from the state behind any whole blocks")
{
    std::string const text(200, 'x');
    for (std::size_t const blocks : {1, 2, 3}) {
        auto const taken = blocks * sha256::block_size;
        sha256 first;
        first.update(std::string_view{text}.substr(0, taken));
        sha256 second(first.behind_blocks(), taken);
        second.update(std::string_view{text}.substr(taken));
        CHECK(second.finish() == by_openssl(text));
    }
}
