#include "proxy/crc32c.hpp"

#include <doctest/doctest.h>

#include <string>

using penstock::proxy::crc32c;

TEST_CASE("IP-39: CRC-32C of the vectors of RFC 3720 B.4")
{
    CHECK(crc32c(0, "123456789") == 0xE3069283); // the check value of the catalogue of CRCs
    CHECK(crc32c(0, std::string(32, '\0')) == 0x8A9136AA);
    CHECK(crc32c(0, std::string(32, '\xFF')) == 0x62A8AB43);
    std::string counting;
    for (char c = 0; c < 32; ++c) counting += c;
    CHECK(crc32c(0, counting) == 0x46DD794E);
    CHECK(crc32c(0, std::string{counting.rbegin(), counting.rend()}) == 0x113FDB5C);
    CHECK(crc32c(0, "") == 0);
}

TEST_CASE("a checksum can be continued") { CHECK(crc32c(crc32c(0, "1234"), "56789") == 0xE3069283); }
