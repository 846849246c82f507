#include "limiter/error.hpp"
#include "limiter/redis/codec.hpp"
#include "limiter/redis/slot_plan.hpp"
#include "tests/unit/limiter/claims.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <random>
#include <set>
#include <string>

namespace penstock::limiter::redis {
namespace {

using namespace limiter::tests;

// Claims with the policies that they point to.
struct request {
    claim& add(std::string const& limit, std::string const& identity, std::uint32_t packed_id = 0)
    {
        policies.push_back(policy_of(limit, *make_token_bucket(10, 10, seconds(10))));
        policies.back().packed_id = packed_id;
        asked.push_back(claim_of(policies.back(), identity));
        asked.back().identity_end = static_cast<std::uint8_t>(asked.back().key.view().find('}') + 1);
        return asked.back();
    }
    std::deque<policy> policies;
    limiter::claims asked;
};

decision allowed(std::int64_t remaining, base::micros reset)
{
    decision said;
    said.remaining = remaining;
    said.reset_after = reset;
    return said;
}

decision refused(base::micros retry)
{
    decision said;
    said.allowed = false;
    said.retry_after = said.reset_after = retry;
    return said;
}

base::result<verdict> said(bool passes, base::instant now, std::initializer_list<decision> decisions)
{
    verdict made{.allowed = passes, .granted = passes ? 1U : 0U, .now = now, .decisions = {}};
    for (auto const& each : decisions) made.decisions.push_back(each);
    return made;
}

} // namespace

TEST_CASE("claims of one identity are in one slot, others seldom")
{
    request one;
    one.add("a", "ip=10.0.0.1");
    one.add("b", "ip=10.0.0.1");
    CHECK(only_slot_of(one.asked) == slot_of("{ip=10.0.0.1}"));
    one.add("c", "everyone");
    CHECK_FALSE(only_slot_of(one.asked));
}

TEST_CASE("no call has keys of two slots, and every claim is in one call, over random requests")
{
    auto const seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937 random(seed);
    for (int round = 0; round < 2000; ++round) {
        request all;
        auto const count = 1 + random() % max_claims;
        for (std::size_t i = 0; i < count; ++i)
            all.add("limit" + std::to_string(i), "id=" + std::to_string(random() % 6),
                    random() % 2 == 0 ? static_cast<std::uint32_t>(i + 1) : 0);
        slot_plan plan;
        plan.split_by_slot(all.asked);
        std::set<cluster_slot> slots;
        std::set<std::size_t> places;
        for (auto const& part : plan.parts()) {
            CHECK(slots.insert(part.slot).second);
            auto const claims = plan.claims_of(part);
            REQUIRE(claims.size() == plan.places_of(part).size());
            for (std::size_t i = 0; i < claims.size(); ++i) {
                CHECK(slot_of(counter_key(claims[i]).view()) == part.slot);
                CHECK(places.insert(plan.places_of(part)[i]).second);
                CHECK(claims[i].key == all.asked[plan.places_of(part)[i]].key);
                CHECK(claims[i].policy == all.asked[plan.places_of(part)[i]].policy);
            }
        }
        CHECK(places.size() == count);
        CHECK(only_slot_of(all.asked).has_value() == (plan.parts().size() == 1));

        // While a slot is on its way: a key each, and still every claim once.
        std::set<std::string> keys;
        places.clear();
        auto const parts = plan.parts();
        for (auto const& whole : parts) {
            for (auto const& part : plan.split_by_key(whole)) {
                auto const claims = plan.claims_of(part);
                CHECK(part.slot == whole.slot);
                CHECK(keys.insert(std::string(counter_key(claims.front()).view())).second);
                for (std::size_t i = 0; i < claims.size(); ++i) {
                    CHECK(counter_key(claims[i]) == counter_key(claims.front()));
                    CHECK(places.insert(plan.places_of(part)[i]).second);
                    CHECK(claims[i].key == all.asked[plan.places_of(part)[i]].key);
                }
            }
        }
        CHECK(places.size() == count);
    }
}

TEST_CASE("all parts allow: the request passes, each decision by the clock that made it")
{
    request all;
    all.add("a", "1");
    all.add("b", "2");
    all.add("c", "1");
    slot_plan plan;
    plan.split_by_slot(all.asked);
    REQUIRE(plan.parts().size() == 2);
    auto const first = said(true, start + seconds(5), {allowed(3, seconds(1)), allowed(4, seconds(2))});
    auto const second = said(true, start + seconds(7), {allowed(5, seconds(3))});
    part_answer const parts[] = {{plan.claims_of(plan.parts()[0]), plan.places_of(plan.parts()[0]), &first},
                                 {plan.claims_of(plan.parts()[1]), plan.places_of(plan.parts()[1]), &second}};
    auto const whole = merge(3, parts);
    REQUIRE(whole.has_value());
    CHECK(whole->allowed);
    CHECK(whole->granted == 1);
    CHECK(whole->now == start + seconds(7));
    CHECK(whole->decisions[0].remaining == 3);
    CHECK(whole->decisions[1].remaining == 5);
    CHECK(whole->decisions[2].remaining == 4);
    CHECK(whole->decisions[0].clock_behind_us == 2'000'000);
    CHECK(whole->decisions[1].clock_behind_us == 0);
    for (auto const& part : parts) CHECK_FALSE(is_charged_in_vain(part, whole));
}

TEST_CASE("one part refuses: the others' charges go back, and they are told as if they had not been")
{
    request all;
    all.add("a", "1");
    all.add("b", "2");
    slot_plan plan;
    plan.split_by_slot(all.asked);
    auto const first = said(true, start, {allowed(3, seconds(7))});
    auto const second = said(false, start, {refused(seconds(4))});
    part_answer const parts[] = {{plan.claims_of(plan.parts()[0]), plan.places_of(plan.parts()[0]), &first},
                                 {plan.claims_of(plan.parts()[1]), plan.places_of(plan.parts()[1]), &second}};
    auto const whole = merge(2, parts);
    REQUIRE(whole.has_value());
    CHECK_FALSE(whole->allowed);
    CHECK(whole->granted == 0);
    CHECK(whole->decisions[0].allowed);
    CHECK(whole->decisions[0].remaining == 4);
    CHECK(whole->decisions[0].reset_after == seconds(6));
    CHECK(whole->decisions[1].retry_after == seconds(4));
    CHECK(is_charged_in_vain(parts[0], whole));
    CHECK_FALSE(is_charged_in_vain(parts[1], whole));
    auto const owed = charge_of(parts[0], 0);
    REQUIRE(owed);
    CHECK(owed->cost == 1);
    CHECK(owed->at == start);
    CHECK(owed->reset_after == seconds(7)); // as it was answered
}

TEST_CASE("one part has no answer: the request has none, unless another part refuses it anyway")
{
    request all;
    all.add("a", "1");
    all.add("b", "2");
    slot_plan plan;
    plan.split_by_slot(all.asked);
    base::result<verdict> const silent{errc::timed_out};
    for (auto const passes : {true, false}) {
        auto const second = said(passes, start, {passes ? allowed(3, seconds(7)) : refused(seconds(1))});
        part_answer const parts[] = {{plan.claims_of(plan.parts()[0]), plan.places_of(plan.parts()[0]), &silent},
                                     {plan.claims_of(plan.parts()[1]), plan.places_of(plan.parts()[1]), &second}};
        auto const whole = merge(2, parts);
        CHECK(is_charged_in_vain(parts[1], whole) == passes);
        CHECK_FALSE(is_charged_in_vain(parts[0], whole));
        if (passes) {
            CHECK(whole.error() == errc::timed_out);
        } else {
            REQUIRE(whole.has_value());
            CHECK_FALSE(whole->allowed);
            CHECK_FALSE(whole->decisions[0].known);
            CHECK(whole->decisions[1].known);
        }
    }
}

TEST_CASE("what a limit in shadow did not charge, and what only looked, is not given back")
{
    request all;
    all.add("a", "1");
    all.add("b", "1").cost = 0;
    auto const first = said(true, start, {refused(seconds(1)), allowed(10, seconds(0))});
    std::uint8_t const places[] = {0, 1};
    part_answer const part{all.asked, places, &first};
    CHECK_FALSE(charge_of(part, 0));
    CHECK_FALSE(charge_of(part, 1));
}

} // namespace penstock::limiter::redis
