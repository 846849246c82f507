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

TEST_CASE("SipHash-2-4 of 128 bits gives the values of OpenSSL's SIPHASH with size 16")
{
    struct long_vector {
        std::size_t length;
        std::array<std::uint64_t, 2> hash;
    };
    constexpr std::array<long_vector, 9> rows{{{0, {0xe6a825ba047f81a3, 0x930255c71472f66d}},
                                               {1, {0x44af996bd8c187da, 0x45fc229b11597634}},
                                               {7, {0x53c1dbd8beebf1a1, 0x3982f01fa64ab8c0}},
                                               {8, {0x61f55862baa9623b, 0xb49714f364e2830f}},
                                               {9, {0xabbad90a06994426, 0xed716dbb028b7fc4}},
                                               {15, {0x11a8b03399e99354, 0xd9c3cf970fec087e}},
                                               {16, {0xbb54b067caa4e26e, 0x77052385bf1533fd}},
                                               {31, {0xfcfa233218b03929, 0x353dc4524fde2317}},
                                               {63, {0x4a83502f77d15051, 0x7cbd3f979a063e50}}}};
    for (auto const& row : rows) {
        CAPTURE(row.length);
        CHECK(sip_hash_128<2, 4>(counting_key, counting_bytes(row.length)) == row.hash);
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
