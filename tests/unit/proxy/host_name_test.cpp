#include "proxy/host_name.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace penstock::proxy;

namespace {

std::string normal(std::string_view raw)
{
    std::string scratch;
    auto const authority = normalise_authority(raw, scratch);
    if (!authority) return "refused";
    return std::string{authority->host} + (authority->port ? ' ' + std::to_string(*authority->port) : "");
}

} // namespace

TEST_CASE("H1-120, H1-129: one spelling of a host")
{
    struct row {
        std::string_view raw, expected;
    };
    for (auto const& r : {
             row{"example.com", "example.com"},
             row{"Example.COM.:80", "example.com 80"},
             row{"EXAMPLE.com", "example.com"},
             row{"example.com.", "example.com"},
             row{"localhost:8080", "localhost 8080"},
             row{"my_service:3000", "my_service 3000"},
             row{"xn--bcher-kva.example", "xn--bcher-kva.example"},
             row{"h:", "h"},
             row{"h:00080", "h 80"},
             row{"h:1", "h 1"},
             row{"h:65535", "h 65535"},
             row{"127.0.0.1:80", "127.0.0.1 80"},
             row{"1.2.3.4.", "1.2.3.4"},
             row{"4.example", "4.example"},
             row{"[::1]", "[::1]"},
             row{"[2001:DB8:0::1]:443", "[2001:db8::1] 443"},
             row{"[::ffff:1.2.3.4]:80", "1.2.3.4 80"},
         }) {
        CAPTURE(r.raw);
        CHECK(normal(r.raw) == r.expected);
    }
}

TEST_CASE("H1-20, H1-21: what is no host with a port is refused")
{
    for (std::string_view const raw : {"",
                                       ".",
                                       "..",
                                       ":80",
                                       ".:80",
                                       "a, b",
                                       "a,b",
                                       "u@h",
                                       "u:p@h",
                                       "h/p",
                                       "h?x",
                                       "h#x",
                                       "h\\p",
                                       "h:abc",
                                       "h:99999",
                                       "h:65536",
                                       "h:0",
                                       "h:-1",
                                       "h:+1",
                                       "h:80:80",
                                       "h:8 0",
                                       "h: 80",
                                       " h",
                                       "h ",
                                       "a b",
                                       "a\tb",
                                       "a..b",
                                       ".a",
                                       "a..",
                                       "a%41",
                                       "a!b",
                                       "a~b",
                                       "a*b",
                                       "\xC3\xA9",
                                       "[",
                                       "[]",
                                       "[::1",
                                       "::1",
                                       "[::1]x",
                                       "[::1]80",
                                       "[1.2.3.4]",
                                       "[fe80::1%eth0]",
                                       "[fe80::1%25eth0]",
                                       "[v1.x]",
                                       "127.1",
                                       "010.0.0.1",
                                       "1.2.3.256",
                                       "42"}) {
        CAPTURE(raw);
        CHECK(normal(raw) == "refused");
    }
    CHECK(normal(std::string_view{"a\0b", 3}) == "refused");
    CHECK(normal(std::string(254, 'a')) == "refused");
    CHECK(normal(std::string(253, 'a')) == std::string(253, 'a'));
}

TEST_CASE("a host that is normal already is not copied")
{
    std::string scratch = "untouched";
    std::string_view const raw = "example.com.:80";
    auto const authority = normalise_authority(raw, scratch);
    REQUIRE(authority);
    CHECK(authority->host.data() == raw.data());
    CHECK(scratch == "untouched");
}
