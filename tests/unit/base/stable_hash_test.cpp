#include "base/stable_hash.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>

namespace penstock::base {
namespace {

// The key and the messages of the published vectors: bytes 00 01 02 ...
constexpr hash_key counting_key{0x0706050403020100, 0x0f0e0d0c0b0a0908};

std::string counting_bytes(std::size_t length)
{
    std::string result;
    for (std::size_t i = 0; i < length; ++i) result.push_back(static_cast<char>(i));
    return result;
}

struct vector {
    std::size_t length;
    std::uint64_t hash;
};

} // namespace

TEST_CASE("SipHash-2-4 gives the values that its authors published")
{
    constexpr std::array<vector, 9> rows{{{0, 0x726fdb47dd0e0e31},
                                          {1, 0x74f839c593dc67fd},
                                          {7, 0xab0200f58b01d137},
                                          {8, 0x93f5f5799a932462},
                                          {9, 0x9e0082df0ba9e4b0},
                                          {15, 0xa129ca6149be45e5},
                                          {16, 0x3f2acc7f57c29bdb},
                                          {31, 0x32d892fad841c342},
                                          {63, 0x958a324ceb064572}}};
    for (auto const& row : rows) {
        CAPTURE(row.length);
        CHECK(sip_hash<2, 4>(counting_key, counting_bytes(row.length)) == row.hash);
    }
}

TEST_CASE("SipHash-1-3 gives the values of OpenSSL's SIPHASH with c-rounds 1, d-rounds 3")
{
    constexpr std::array<vector, 9> rows{{{0, 0xabac0158050fc4dc},
                                          {1, 0xc9f49bf37d57ca93},
                                          {7, 0xd3927d989bb11140},
                                          {8, 0x369095118d299a8e},
                                          {9, 0x25a48eb36c063de4},
                                          {15, 0xd320d86d2a519956},
                                          {16, 0xcc4fdd1a7d908b66},
                                          {31, 0x2370dd1f8c21d1bc},
                                          {63, 0x9d199062b7bbb3a8}}};
    for (auto const& row : rows) {
        CAPTURE(row.length);
        CHECK(sip_hash<1, 3>(counting_key, counting_bytes(row.length)) == row.hash);
    }
}

TEST_CASE("another key gives another hash")
{
    CHECK(sip_hash<1, 3>({1, 2}, "rl:{ip=203.0.113.9}:api:tb") != sip_hash<1, 3>({1, 3}, "rl:{ip=203.0.113.9}:api:tb"));
}

} // namespace penstock::base
