#include "partition/network_set.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

using namespace penstock;

namespace {

std::vector<base::ip_network> networks(std::vector<std::string> const& texts)
{
    std::vector<base::ip_network> made;
    for (auto const& text : texts) made.push_back(base::ip_network::parse(text).value());
    return made;
}

base::ip_address address(std::string_view text) { return base::ip_address::parse(text).value(); }

} // namespace

TEST_CASE("a set holds the addresses of its networks and no other")
{
    struct row {
        std::vector<std::string> networks;
        std::string_view address;
        bool inside;
    };
    for (auto const& r : std::vector<row>{
             {{}, "192.0.2.1", false},
             {{"192.0.2.1"}, "192.0.2.1", true},
             {{"192.0.2.1"}, "192.0.2.2", false},
             {{"192.0.2.0/24"}, "192.0.2.255", true},
             {{"192.0.2.0/24"}, "192.0.3.0", false},
             {{"192.0.2.0/24"}, "192.0.1.255", false},
             {{"10.0.0.0/9"}, "10.127.255.255", true},
             {{"10.0.0.0/9"}, "10.128.0.0", false},
             {{"10.0.0.0/8", "10.1.0.0/16"}, "10.200.0.1", true}, // the narrower one does not end the wider one
             {{"10.1.0.0/16", "10.0.0.0/8"}, "10.200.0.1", true},
             {{"0.0.0.0/0"}, "255.255.255.255", true},
             {{"0.0.0.0/0"}, "2001:db8::1", false},
             {{"::/0"}, "2001:db8::1", true},
             {{"::/0"}, "192.0.2.1", false},
             {{"::/80"}, "::ffff:192.0.2.1", false}, // that is an IPv4 address
             {{"2001:db8::/33"}, "2001:db8:7fff::1", true},
             {{"2001:db8::/33"}, "2001:db8:8000::", false},
             {{"102:304::/32"}, "1.2.3.4", false}, // the same leading bytes
         }) {
        CAPTURE(r.networks);
        CAPTURE(r.address);
        CHECK(partition::network_set(networks(r.networks)).contains(address(r.address)) == r.inside);
    }
    CHECK(partition::network_set{}.empty());
    CHECK(!partition::network_set(networks({"::1"})).empty());
}

TEST_CASE("a set says what asking each network says")
{
    auto const seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937 random(seed);
    auto const any_address = [&] { // of few values, so that networks nest and meet
        return base::ip_address::from_v4({10, static_cast<std::uint8_t>(random() % 4), static_cast<std::uint8_t>(random() % 4),
                                          static_cast<std::uint8_t>(random() % 8)});
    };
    for (int round = 0; round < 200; ++round) {
        std::vector<base::ip_network> list;
        for (auto n = random() % 30; n > 0; --n) list.emplace_back(any_address(), 8 + random() % 25);
        partition::network_set const set(list);
        for (int i = 0; i < 50; ++i) {
            auto const one = any_address();
            auto const in_any =
                std::any_of(list.begin(), list.end(), [&](auto const& network) { return network.contains(one); });
            CHECK(set.contains(one) == in_any);
        }
    }
}
