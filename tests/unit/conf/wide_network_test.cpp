// Which networks are a part of the internet rather than anybody's own.
#include "conf/wide_network.hpp"

#include <doctest/doctest.h>

using namespace penstock;

TEST_CASE("a network is wide if it holds all addresses, half of them, or more than anybody is given")
{
    auto const wide = [](std::string_view text) { return conf::is_wide(base::ip_network::parse(text).value()); };
    for (auto const* text :
         {"0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "8.0.0.0/7", "::/0", "::/1", "::/2", "2000::/3", "2400::/6", "2000::/15",
          "64:ff9b::/96", "64:ff9b::/97", "64:ff9b::8000:0/97", "64:ff9b::c000:0/103", "64:ff9b::/64", "64::/16", "::/8"}) {
        CAPTURE(text);
        CHECK(wide(text));
    }
    for (auto const* text :
         {"10.0.0.0/8", "127.0.0.0/8", "192.0.2.1", "fc00::/7", "fe80::/10", "ff00::/8", "2002::/16", "2001:db8::/32",
          "64:ff9b::a00:0/104", "64:ff9b::c000:201", "64:ff9b:1::/48", "64:ff9b:1::/96", "::/64", "::1"}) {
        CAPTURE(text);
        CHECK(!wide(text));
    }
}
