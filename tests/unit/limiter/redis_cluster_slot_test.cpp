#include "limiter/redis/cluster_slot.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>

namespace penstock::limiter::redis {

TEST_CASE("CRC16 is that of the cluster specification")
{
    CHECK(crc16("123456789") == 0x31C3);
    CHECK(crc16("") == 0);
    CHECK(slot_of("foo") == 12182); // as CLUSTER KEYSLOT says
    CHECK(slot_of("bar") == 5061);
    CHECK(slot_of("") == 0);
    CHECK(slot_of("somekey") == 11058);
}

TEST_CASE("the hash tag is the text between the first { and the next }, unless it is empty")
{
    struct row {
        std::string_view key;
        std::string_view hashed;
    };
    for (auto const& [key, hashed] :
         {row{"{user1000}.following", "user1000"}, row{"foo{}{bar}", "foo{}{bar}"}, row{"foo{{bar}}zap", "{bar"},
          row{"foo{bar}{zap}", "bar"}, row{"foo{bar", "foo{bar"}, row{"foo}bar{", "foo}bar{"},
          row{"rl:{ip=10.0.0.1}:limit:tb", "ip=10.0.0.1"}, row{"", ""}}) {
        CAPTURE(key);
        CHECK(hashed_part(key) == hashed);
        CHECK(slot_of(key) == crc16(hashed) % slot_count);
    }
    CHECK(slot_of("{user1000}.following") == slot_of("{user1000}.followers"));
}

TEST_CASE("there is a key of the probe for every slot")
{
    std::mt19937 random(7);
    for (int i = 0; i < 20; ++i) {
        auto const wanted = static_cast<cluster_slot>(random() % slot_count);
        auto const key = key_in_slot("rl:", [&](auto slot) { return slot == wanted; });
        CAPTURE(wanted);
        CHECK(key.starts_with("rl:{penstock-probe-"));
        CHECK(slot_of(key) == wanted);
    }
    CHECK(key_in_slot("rl:", [](auto) { return false; }).empty());
}

} // namespace penstock::limiter::redis
