#include "proxy/crc32c.hpp"
#include "proxy/proxy_header.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace penstock;
using namespace penstock::proxy;
using namespace std::string_literals;

namespace {

using enum proxy_header_problem;

std::string const signature = "\r\n\r\n\0\r\nQUIT\n"s;
std::string const tcp4_addresses = "\xC6\x33\x64\x07\x0A\x00\x00\x01\xDC\x04\x01\xBB"s; // 198.51.100.7:56324 to 10.0.0.1:443

std::string two_bytes(std::size_t number) { return {static_cast<char>(number >> 8), static_cast<char>(number & 0xFF)}; }

// Version 2: version and command, family and transport, then `rest` with its length in front.
std::string v2(char command, char family, std::string const& rest)
{
    return signature + command + family + two_bytes(rest.size()) + rest;
}

std::string tlv(char type, std::string const& value) { return type + two_bytes(value.size()) + value; }

std::string ipv6_addresses()
{
    return "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x09"s + std::string(15, '\0') + "\x01\xDC\x04\x01\xBB"s;
}

// A header that ends in the checksum over all of it.
std::string with_checksum(std::string header)
{
    auto const size = header.size() - 16 + 7;
    header.replace(14, 2, two_bytes(size));
    header += tlv(3, std::string(4, '\0'));
    auto const sum = crc32c(0, header);
    for (int i = 0; i < 4; ++i)
        header[header.size() - 4 + static_cast<std::size_t>(i)] = static_cast<char>(sum >> (24 - 8 * i));
    return header;
}

std::string flipped(std::string header, std::size_t at, int bit)
{
    header[at] = static_cast<char>(header[at] ^ 1 << bit);
    return header;
}

std::string source_of(proxy_header const& header) { return header.source ? header.source->to_string() : "the peer"; }

// Byte by byte: no decision before there is one, the same one for ever after, and none of what comes behind it.
void check_arrival(std::string const& header, proxy_protocol accepted, std::string_view source)
{
    for (std::size_t arrived = 0; arrived < header.size(); ++arrived) {
        CAPTURE(arrived);
        auto const early = read_proxy_header(header.substr(0, arrived), accepted);
        REQUIRE(early.problem == none);
        REQUIRE(early.length == 0);
    }
    for (std::string_view const behind : {"", "GET / HTTP/1.1\r\n", "\r\n", "PROXY UNKNOWN\r\n", "\0"}) {
        auto const whole = read_proxy_header(header + std::string{behind}, accepted);
        CHECK(whole.problem == none);
        CHECK(whole.length == header.size());
        CHECK(source_of(whole) == source);
    }
}

void check_refused(std::string const& received, proxy_protocol accepted, proxy_header_problem problem)
{
    auto const read = read_proxy_header(received, accepted);
    CHECK(read.problem == problem);
    CHECK(read.length == 0);
    CHECK(!read.source);
    for (std::size_t arrived = 0; arrived < received.size(); ++arrived) // never taken for whole on the way
        CHECK(read_proxy_header(received.substr(0, arrived), accepted).length == 0);
}

} // namespace

TEST_CASE("IP-33, IP-34: headers of version 1")
{
    struct row {
        std::string header;
        std::string_view source;
    };
    for (auto const& r : {
             row{"PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n", "192.168.0.1"},
             row{"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255"},
             row{"PROXY TCP4 198.51.100.7 10.0.0.1 0 0\r\n", "198.51.100.7"},
             row{"PROXY TCP6 2001:db8::7 ::1 56324 443\r\n", "2001:db8::7"},
             row{"PROXY TCP6 2001:DB8:0:0:0:0:0:7 ::1 1 2\r\n", "2001:db8::7"},
             row{"PROXY TCP6 ::ffff:198.51.100.7 ::1 1 2\r\n", "198.51.100.7"},
             row{"PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
                 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
             row{"PROXY UNKNOWN\r\n", "the peer"}, row{"PROXY UNKNOWN \r\n", "the peer"},
             row{"PROXY UNKNOWN ffff::1  nonsense \x01 443\r\n", "the peer"},
             row{"PROXY UNKNOWN " + std::string(107 - 16, 'x') + "\r\n", "the peer"}, // 107 bytes
         }) {
        CAPTURE(r.header);
        check_arrival(r.header, proxy_protocol::v1, r.source);
        check_arrival(r.header, proxy_protocol::any, r.source);
        check_refused(r.header, proxy_protocol::v2, missing);
    }
}

TEST_CASE("IP-33: what is no header of version 1")
{
    for (std::string_view const line : {
             "PROXY \r\n",
             "PROXY TCP4\r\n",
             "PROXY TCP4 \r\n",
             "PROXY TCP5 192.168.0.1 192.168.0.11 56324 443\r\n",
             "PROXY tcp4 192.168.0.1 192.168.0.11 56324 443\r\n",
             "PROXY UNKNOWNS\r\n",
             "PROXY unknown\r\n",
             "PROXY  TCP4 192.168.0.1 192.168.0.11 56324 443\r\n",
             "PROXY TCP4  192.168.0.1 192.168.0.11 56324 443\r\n",
             "PROXY TCP4 192.168.0.1  192.168.0.11 56324 443\r\n",
             "PROXY TCP4 192.168.0.1 192.168.0.11  56324 443\r\n",
             "PROXY TCP4 192.168.0.1 192.168.0.11 56324  443\r\n",
             "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443 \r\n",
             "PROXY TCP4\t192.168.0.1 192.168.0.11 56324 443\r\n",
             "PROXY TCP4 192.168.0.1 192.168.0.11 080 443\r\n",
             "PROXY TCP4 192.168.0.1 192.168.0.11 56324 00\r\n",
             "PROXY TCP4 192.168.0.1 192.168.0.11 65536 443\r\n",
             "PROXY TCP4 192.168.0.1 192.168.0.11 56324 99999\r\n",
             "PROXY TCP4 192.168.0.1 192.168.0.11 -1 443\r\n",
             "PROXY TCP4 192.168.0.1 192.168.0.11 +1 443\r\n",
             "PROXY TCP4 192.168.0.1 192.168.0.11 56324 x\r\n",
             "PROXY TCP4 192.168.0.1 192.168.0.11 56324\r\n",
             "PROXY TCP4 192.168.0.1 192.168.0.11 56324 \r\n",
             "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443 9\r\n",
             "PROXY TCP4 192.168.0.01 192.168.0.11 56324 443\r\n",
             "PROXY TCP4 192.168.0.1 192.168.11 56324 443\r\n",
             "PROXY TCP4 2001:db8::7 ::1 56324 443\r\n",
             "PROXY TCP6 192.168.0.1 192.168.0.11 56324 443\r\n",
             "PROXY TCP6 2001:db8::7 192.168.0.11 56324 443\r\n",
             "PROXY TCP6 [2001:db8::7] [::1] 56324 443\r\n",
             "PROXY TCP6 fe80::1%eth0 ::1 56324 443\r\n",
             "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\n",
             "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\rx",
             "PROXY TCP4 192.168.0.1\r192.168.0.11 56324 443\r\n",
             "PROXY UNKNOWN\n",
             "PROXY UNKNOWN a\rb\r\n",
             "PROXY UNKNOWN a\nb\r\n",
         }) {
        CAPTURE(line);
        check_refused(std::string{line}, proxy_protocol::v1, malformed);
        check_refused(std::string{line}, proxy_protocol::any, malformed);
    }
    check_refused("PROXY UNKNOWN " + std::string(108 - 16, 'x') + "\r\n", proxy_protocol::v1, malformed); // 108 bytes
    check_refused("PROXY UNKNOWN " + std::string(92, 'x') + "\r", proxy_protocol::v1, malformed);
    check_refused("PROXY UNKNOWN " + std::string(93, 'x'), proxy_protocol::v1, malformed); // 107 bytes and no end
}

TEST_CASE("IP-35, IP-36, IP-37: headers of version 2")
{
    struct row {
        std::string_view name;
        std::string header;
        std::string_view source;
    };
    auto const unix_addresses = "/run/a.sock"s + std::string(216 - 11, '\0');
    for (auto const& r : {
             row{"TCP over IPv4", v2(0x21, 0x11, tcp4_addresses), "198.51.100.7"},
             row{"UDP over IPv4", v2(0x21, 0x12, tcp4_addresses), "198.51.100.7"},
             row{"TCP over IPv6", v2(0x21, 0x21, ipv6_addresses()), "2001:db8::9"},
             row{"UDP over IPv6", v2(0x21, 0x22, ipv6_addresses()), "2001:db8::9"},
             row{"IPv4 written as IPv6",
                 v2(0x21, 0x21, std::string(10, '\0') + "\xFF\xFF\xC6\x33\x64\x07" + std::string(20, '\0')), "198.51.100.7"},
             row{"unix stream", v2(0x21, 0x31, unix_addresses), "the peer"},
             row{"unix datagram", v2(0x21, 0x32, unix_addresses), "the peer"},
             row{"with extensions", v2(0x21, 0x11, tcp4_addresses + tlv(1, "h2") + tlv(4, "") + tlv('\xEA', "vpce-1")),
                 "198.51.100.7"},
             row{"with a checksum", with_checksum(v2(0x21, 0x11, tcp4_addresses)), "198.51.100.7"},
             row{"with a checksum behind others", with_checksum(v2(0x21, 0x21, ipv6_addresses() + tlv(2, "a.example"))),
                 "2001:db8::9"},
             row{"LOCAL", v2(0x20, 0x00, ""), "the peer"},
             row{"LOCAL with junk", v2(0x20, 0x11, "twelve bytes"), "the peer"},
             row{"LOCAL with an unknown family", v2(0x20, '\xFF', "junk"), "the peer"},
             row{"UNSPEC", v2(0x21, 0x00, ""), "the peer"},
             row{"UNSPEC with junk", v2(0x21, 0x00, "\x03\xFF\xFF junk"), "the peer"},
             row{"as large as may be", v2(0x21, 0x11, tcp4_addresses + tlv(4, std::string(4096 - 16 - 12 - 3, 'x'))),
                 "198.51.100.7"},
         }) {
        CAPTURE(r.name);
        check_arrival(r.header, proxy_protocol::v2, r.source);
        check_arrival(r.header, proxy_protocol::any, r.source);
        check_refused(r.header, proxy_protocol::v1, missing);
    }
}

TEST_CASE("IP-37, IP-38: what is no header of version 2")
{
    struct row {
        std::string_view name;
        std::string header;
        proxy_header_problem problem = malformed;
    };
    for (auto const& r : {
             row{"version 3", v2(0x31, 0x11, tcp4_addresses)},
             row{"version 1", v2(0x11, 0x11, tcp4_addresses)},
             row{"command 2", v2(0x22, 0x11, tcp4_addresses)},
             row{"family 4", v2(0x21, 0x41, tcp4_addresses)},
             row{"transport 3", v2(0x21, 0x13, tcp4_addresses)},
             row{"IPv4 without transport", v2(0x21, 0x10, tcp4_addresses)},
             row{"transport without family", v2(0x21, 0x01, tcp4_addresses)},
             row{"IPv4 with 11 bytes", v2(0x21, 0x11, tcp4_addresses.substr(1))},
             row{"IPv4 with none", v2(0x21, 0x11, "")},
             row{"IPv6 with 35 bytes", v2(0x21, 0x21, ipv6_addresses().substr(1))},
             row{"unix with 215 bytes", v2(0x21, 0x31, std::string(215, 'x'))},
             row{"extension of one byte", v2(0x21, 0x11, tcp4_addresses + "\x04")},
             row{"extension without a length", v2(0x21, 0x11, tcp4_addresses + "\x04\0"s)},
             row{"extension that overruns", v2(0x21, 0x11, tcp4_addresses + "\x04\0\x02x"s)},
             row{"second extension that overruns", v2(0x21, 0x11, tcp4_addresses + tlv(1, "h2") + "\x04\xFF\xFF")},
             row{"checksum of three bytes", v2(0x21, 0x11, tcp4_addresses + tlv(3, "abc"))},
             row{"checksum of five bytes", v2(0x21, 0x11, tcp4_addresses + tlv(3, "abcde"))},
             row{"two checksums", v2(0x21, 0x11, tcp4_addresses + tlv(3, "abcd") + tlv(3, "abcd"))},
             row{"wrong checksum", v2(0x21, 0x11, tcp4_addresses + tlv(3, "abcd")), bad_checksum},
             row{"larger than 4 KiB", v2(0x21, 0x11, tcp4_addresses + tlv(4, std::string(4096 - 16 - 12 - 2, 'x'))), too_large},
             row{"LOCAL larger than 4 KiB", v2(0x20, 0x00, std::string(5000, 'x')), too_large},
         }) {
        CAPTURE(r.name);
        check_refused(r.header, proxy_protocol::v2, r.problem);
        check_refused(r.header, proxy_protocol::any, r.problem);
    }
}

TEST_CASE("IP-38: a length beyond the cap is refused before anything of it arrives")
{
    check_refused(signature + "\x21\x11\xFF\xFF"s, proxy_protocol::v2, too_large);
    check_refused(signature + "\x20\x00\xFF\xFF"s, proxy_protocol::any, too_large);
    CHECK(read_proxy_header(signature + "\x31"s, proxy_protocol::v2).problem == malformed); // so is a version
}

TEST_CASE("IP-39: a checksum sees every bit of the header behind the signature")
{
    auto const header = with_checksum(v2(0x21, 0x11, tcp4_addresses + tlv(2, "a.example")));
    for (std::size_t at = signature.size(); at < header.size(); ++at) {
        if (at == header.size() - 7) continue; // the checksum's own type: then it is another extension, and there is none
        for (int bit = 0; bit < 8; ++bit) {
            CAPTURE(at);
            CAPTURE(bit);
            auto const read = read_proxy_header(flipped(header, at, bit), proxy_protocol::v2);
            CHECK(read.length == 0);
            auto const waits = read.problem == none; // for the rest of a header that has become longer
            CHECK((!waits || at == 14 || at == 15));
        }
    }
}

TEST_CASE("IP-36, IP-37, IP-39: a checksum is verified also where the addresses are ignored")
{
    struct row {
        std::string_view name;
        std::string header; // its checksum comes last
    };
    for (auto const& r : {
             row{"UNSPEC", with_checksum(v2(0x21, 0x00, ""))},
             row{"UNSPEC with extensions", with_checksum(v2(0x21, 0x00, tlv(4, std::string(9, '\0')) + tlv(2, "a.example")))},
             row{"LOCAL", with_checksum(v2(0x20, 0x00, ""))},
             row{"LOCAL with extensions", with_checksum(v2(0x20, 0x00, tlv(2, "a.example")))},
             row{"LOCAL with addresses", with_checksum(v2(0x20, 0x11, tcp4_addresses + tlv(2, "a.example")))},
             row{"LOCAL with addresses of IPv6", with_checksum(v2(0x20, 0x21, ipv6_addresses()))},
             row{"LOCAL with an unknown family", with_checksum(v2(0x20, '\xFF', tlv(2, "a.example")))},
         }) {
        CAPTURE(r.name);
        check_arrival(r.header, proxy_protocol::v2, "the peer");
        for (std::size_t at = r.header.size() - 4; at < r.header.size(); ++at)
            for (int bit = 0; bit < 8; ++bit) check_refused(flipped(r.header, at, bit), proxy_protocol::v2, bad_checksum);
        if (r.header.size() == 16 + 7) continue;
        check_refused(flipped(r.header, r.header.size() - 8, 0), proxy_protocol::any, bad_checksum); // in front of the checksum
    }
    // The command and the family are in it, too, whichever names nobody.
    check_refused(flipped(with_checksum(v2(0x21, 0x11, tcp4_addresses)), 12, 0), proxy_protocol::v2, bad_checksum);
    check_refused(flipped(with_checksum(v2(0x21, 0x00, "")), 12, 0), proxy_protocol::v2, bad_checksum);
    check_refused(flipped(with_checksum(v2(0x20, 0x00, "")), 12, 0), proxy_protocol::v2, bad_checksum);
    check_refused(flipped(with_checksum(v2(0x20, 0x00, "")), 13, 0), proxy_protocol::v2, bad_checksum);
}

TEST_CASE("IP-36, IP-37: where the addresses are ignored, what is no sequence of extensions is, too")
{
    auto const wrong = tlv(3, "abcd");
    for (auto const& junk : {wrong + "x", wrong + "\x04\0\x02x"s, wrong + wrong, tlv(3, "abc"), "\0\0"s, wrong.substr(0, 6)}) {
        CAPTURE(junk);
        check_arrival(v2(0x21, 0x00, junk), proxy_protocol::v2, "the peer");
        check_arrival(v2(0x20, 0x00, junk), proxy_protocol::v2, "the peer");
        check_arrival(v2(0x20, 0x11, tcp4_addresses + junk), proxy_protocol::v2, "the peer");
    }
    check_arrival(v2(0x20, 0x11, wrong), proxy_protocol::v2, "the peer"); // shorter than the addresses
}

TEST_CASE("IP-30: whether there is a header is never guessed")
{
    for (auto const accepted : {proxy_protocol::v1, proxy_protocol::v2, proxy_protocol::any}) {
        for (std::string_view const bytes : {"GET / HTTP/1.1\r\n", "G", "\x16\x03\x01", "\r\nGET / HTTP/1.1", "proxy TCP4 ",
                                             "\n", " PROXY UNKNOWN\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"}) {
            CAPTURE(bytes);
            check_refused(std::string{bytes}, accepted, missing);
        }
        CHECK(read_proxy_header("", accepted).problem == none);
    }
    CHECK(read_proxy_header("P", proxy_protocol::v2).problem == missing);
    CHECK(read_proxy_header("\r", proxy_protocol::v1).problem == missing);
    CHECK(read_proxy_header("\r", proxy_protocol::any).problem == none);
}
