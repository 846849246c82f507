#include "base/ip_address.hpp"

#include <doctest/doctest.h>

#include <arpa/inet.h>

#include <random>
#include <set>
#include <string>

using penstock::base::ip_address;
using penstock::base::ip_network;

namespace {

std::string canonical(std::string_view text)
{
    auto const address = ip_address::parse(text);
    return address ? address->to_string() : "refused";
}

} // namespace

TEST_CASE("IP-9: only full addresses are addresses")
{
    for (std::string_view const text : {"",
                                        " ",
                                        "1.2.3",
                                        "127.1",
                                        "1.2.3.4.5",
                                        "010.0.0.1",
                                        "1.2.3.04",
                                        "00.0.0.0",
                                        "256.0.0.1",
                                        "1.2.3.1000",
                                        "0x7f.0.0.1",
                                        "1.2.3.4 ",
                                        " 1.2.3.4",
                                        "+1.2.3.4",
                                        "1.2.3.-4",
                                        "1..2.3",
                                        "1.2.3.4/32",
                                        "1.2.3.4:80",
                                        "2130706433",
                                        ":",
                                        ":::",
                                        "1::2::3",
                                        "fe80::1%eth0",
                                        "[::1]",
                                        "::1/128",
                                        "12345::",
                                        "1:2:3:4:5:6:7",
                                        "1:2:3:4:5:6:7:8:9",
                                        "1:2:3:4:5:6:7:8::",
                                        "::1:2:3:4:5:6:7:8",
                                        "1:2:3:4:5:6:7:",
                                        ":1:2:3:4:5:6:7",
                                        "::g",
                                        "::1.2.3",
                                        "::1.2.3.4.5",
                                        "::1.2.3.04",
                                        "1:2:3:4:5:6:7:1.2.3.4",
                                        "::1.2.3.4:5",
                                        "::ffff:010.0.0.1",
                                        "1:2:3:4:5:6:7::8:9",
                                        "\"::1\""}) {
        CAPTURE(text);
        CHECK_FALSE(ip_address::parse(text).has_value());
    }
    CHECK_FALSE(ip_address::parse(std::string_view{"1.2.3.4\0", 8}).has_value());
    CHECK_FALSE(ip_address::parse(std::string_view{}).has_value());
}

TEST_CASE("IP-8: an address at the beginning of a text, in the forms that a port can follow")
{
    struct row {
        std::string_view text, address, rest;
    };
    for (auto const& r : {
             row{"192.0.2.1", "192.0.2.1", ""},
             row{"192.0.2.1:80", "192.0.2.1", ":80"},
             row{"192.0.2.1 and so on", "192.0.2.1", " and so on"},
             row{"[2001:DB8::1]", "2001:db8::1", ""},
             row{"[2001:db8::1]:80]", "2001:db8::1", ":80]"},
             row{"[::ffff:192.0.2.1]x", "192.0.2.1", "x"},
         }) {
        CAPTURE(r.text);
        auto text = r.text;
        auto const host = ip_address::take_host(text);
        REQUIRE(host);
        CHECK(host->to_string() == r.address);
        CHECK(text == r.rest);
    }
    for (std::string_view const none :
         {"", "[", "[]", "[2001:db8::1", "[192.0.2.1]", "[fe80::1%eth0]", "[[::1]]", "2001:db8::1", "::1", "192.0.2",
          "192.0.2.", "192.0.2.256", "192.0.2.01", "192.0.2.1000", ".1.2.3", ":80", "a"}) {
        CAPTURE(none);
        auto text = none;
        CHECK_FALSE(ip_address::take_host(text).has_value());
        CHECK(text == none);
    }
}

TEST_CASE("IP-13: IPv6 text is canonical")
{
    struct row {
        std::string_view text, expected;
    };
    for (auto const& r : {
             row{"0.0.0.0", "0.0.0.0"},
             row{"255.255.255.255", "255.255.255.255"},
             row{"::", "::"},
             row{"::1", "::1"},
             row{"1::", "1::"},
             row{"0:0:0:0:0:0:0:0", "::"},
             row{"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
             row{"2001:0db8::0001", "2001:db8::1"},
             row{"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"}, // one zero group is written out
             row{"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},          // the longest run
             row{"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},    // the first of equal runs
             row{"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
             row{"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
             row{"1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"},
             row{"2001:db8:1234:5678::1.2.3.4", "2001:db8:1234:5678::102:304"},
             row{"64:ff9b::1.2.3.4", "64:ff9b::102:304"},
             row{"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"},
         }) {
        CAPTURE(r.text);
        CHECK(canonical(r.text) == r.expected);
    }
}

TEST_CASE("IP-10: mapped addresses are IPv4 in every spelling, others are not")
{
    for (std::string_view const text : {"::ffff:1.2.3.4", "::FFFF:102:304", "0:0:0:0:0:ffff:1.2.3.4",
                                        "0000:0000:0000:0000:0000:ffff:0102:0304", "::0:ffff:102:304"}) {
        CAPTURE(text);
        CHECK(canonical(text) == "1.2.3.4");
        CHECK(ip_address::parse(text) == ip_address::from_v4({1, 2, 3, 4}));
    }
    CHECK(canonical("::1.2.3.4") == "::102:304");
    CHECK(canonical("::fffe:1.2.3.4") == "::fffe:102:304");
    CHECK(canonical("::1:ffff:1.2.3.4") == "::1:ffff:102:304");
}

TEST_CASE("IP-12: a prefix keeps its bits and clears the rest")
{
    auto const v6 = ip_address::parse("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff").value();
    CHECK(v6.masked(0).to_string() == "::");
    CHECK(v6.masked(56).to_string() == "2001:db8:ffff:ff00::");
    CHECK(v6.masked(64).to_string() == "2001:db8:ffff:ffff::");
    CHECK(v6.masked(65).to_string() == "2001:db8:ffff:ffff:8000::");
    CHECK(v6.masked(127).to_string() == "2001:db8:ffff:ffff:ffff:ffff:ffff:fffe");
    CHECK(v6.masked(128) == v6);
    auto const v4 = ip_address::from_v4({203, 0, 113, 255});
    CHECK(v4.masked(0).to_string() == "0.0.0.0");
    CHECK(v4.masked(24).to_string() == "203.0.113.0");
    CHECK(v4.masked(31).to_string() == "203.0.113.254");
    CHECK(v4.masked(64) == v4);
}

TEST_CASE("networks: parsed strictly, host bits cleared, families apart")
{
    CHECK(ip_network::parse("10.1.2.3/8").value().to_string() == "10.0.0.0/8");
    CHECK(ip_network::parse("10.1.2.3").value().to_string() == "10.1.2.3/32");
    CHECK(ip_network::parse("2001:db8::/32").value().to_string() == "2001:db8::/32");
    CHECK(ip_network::parse("::1").value().to_string() == "::1/128");
    CHECK(ip_network::parse("::ffff:10.0.0.0/104").value().to_string() == "10.0.0.0/8");
    for (std::string_view const text : {"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/8/8", "10.0.0.0/+8",
                                        "10.0.0.0/8 ", "::/129", "10/8", "::ffff:10.0.0.0/95", "10.0.0.0/4294967304"}) {
        CAPTURE(text);
        CHECK_FALSE(ip_network::parse(text).has_value());
    }
    auto const ten = ip_network::parse("10.0.0.0/8").value();
    CHECK(ten.contains(ip_address::parse("10.255.0.1").value()));
    CHECK(ten.contains(ip_address::parse("::ffff:10.0.0.1").value()));
    CHECK_FALSE(ten.contains(ip_address::parse("11.0.0.1").value()));
    CHECK_FALSE(ten.contains(ip_address::parse("a00::1").value()));
    CHECK_FALSE(ip_network::parse("::/0").value().contains(ip_address::parse("10.0.0.1").value()));
}

TEST_CASE("IP-8: a port is one to five digits and no more than 65535")
{
    for (std::string_view const good : {"0", "80", "00080", "65535"}) CHECK(penstock::base::is_port(good));
    for (std::string_view const bad : {"", "65536", "99999", "000080", "+80", "-1", " 80", "80 ", "http", "8_0"}) {
        CAPTURE(bad);
        CHECK_FALSE(penstock::base::is_port(bad));
    }
}

TEST_CASE("IP-12: a network contains exactly the addresses that its prefix makes of it")
{
    auto const seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937 random{seed};
    for (int round = 0; round < 2'000; ++round) {
        bool const v4 = round % 2 == 0;
        ip_address::bytes_v6 bytes{};
        for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
        auto const made = [v4](ip_address::bytes_v6 const& of) {
            return v4 ? ip_address::from_v4({of[0], of[1], of[2], of[3]}) : ip_address::from_v6(of);
        };
        auto const bits = v4 ? 32U : 128U;
        auto const address = made(bytes);
        auto const flipped = static_cast<unsigned>(random()) % bits;
        bytes[flipped / 8] = static_cast<std::uint8_t>(bytes[flipped / 8] ^ (0x80U >> flipped % 8));
        for (unsigned prefix = 0; prefix <= bits; ++prefix) {
            ip_network const network{address, prefix};
            REQUIRE(network.contains(address));
            REQUIRE(network.contains(made(bytes)) == (flipped >= prefix)); // only a bit behind the prefix does not count
        }
    }
}

TEST_CASE("IP-13: text and parsing agree with the system's for any address")
{
    auto const seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937 random{seed};
    for (int round = 0; round < 20'000; ++round) {
        ip_address::bytes_v6 bytes{};
        for (auto& byte : bytes) // many zeros, so that runs of them occur
            byte = random() % 3 == 0 ? static_cast<std::uint8_t>(random()) : std::uint8_t{0};
        auto const address = ip_address::from_v6(bytes);
        auto const text = address.to_string();
        CAPTURE(text);
        REQUIRE(text.size() <= 45);
        REQUIRE(ip_address::parse(text) == address);
        if (address.is_v4()) continue;
        ip_address::bytes_v6 theirs{};
        REQUIRE(inet_pton(AF_INET6, text.c_str(), theirs.data()) == 1);
        REQUIRE(theirs == bytes);
    }
}

TEST_CASE("IP-9: nothing is accepted that the system's strict parser refuses")
{
    auto const seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937 random{seed};
    constexpr std::string_view alphabet = "0123456789afAF::::....g%";
    int accepted = 0;
    for (int round = 0; round < 200'000; ++round) {
        std::string text;
        for (auto length = random() % 14; text.size() < length;) text += alphabet[random() % alphabet.size()];
        CAPTURE(text);
        ip_address::bytes_v6 bytes{};
        bool const theirs =
            inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1 || inet_pton(AF_INET, text.c_str(), bytes.data()) == 1;
        auto const ours = ip_address::parse(text);
        REQUIRE(ours.has_value() == theirs);
        accepted += ours.has_value();
    }
    CHECK(accepted > 0);
}
