#include "proxy/endpoint_picker.hpp"

#include <doctest/doctest.h>

#include <map>
#include <vector>

using namespace penstock;
using namespace penstock::proxy;

namespace {

constexpr auto start = base::at_epoch_us(1'700'000'000'000'000);
constexpr base::micros second{1'000'000};

upstream_spec spec(std::vector<unsigned> const& weights, balance how = balance::round_robin)
{
    upstream_spec made;
    made.balance = how;
    for (auto const weight : weights) {
        endpoint_spec server;
        server.weight = weight;
        made.servers.push_back(server);
    }
    return made;
}

} // namespace

TEST_CASE("round robin takes each endpoint as often as its weight says, without runs longer than needed")
{
    endpoint_picker picker(spec({5, 1, 1}));
    std::vector<std::size_t> picked;
    for (int i = 0; i < 7; ++i) picked.push_back(picker.pick(start).value());
    std::map<std::size_t, int> times;
    int longest_run = 0;
    int run = 0;
    for (std::size_t i = 0; i < picked.size(); ++i) {
        ++times[picked[i]];
        run = i > 0 && picked[i] == picked[i - 1] ? run + 1 : 1;
        longest_run = std::max(longest_run, run);
    }
    CHECK(times[0] == 5);
    CHECK(times[1] == 1);
    CHECK(times[2] == 1);
    CHECK(longest_run <= 3);
}

TEST_CASE("equal endpoints take turns")
{
    for (auto const how : {balance::round_robin, balance::least_requests}) {
        bool const least = how == balance::least_requests;
        CAPTURE(least);
        endpoint_picker picker(spec({1, 1, 1}, how));
        std::map<std::size_t, int> times;
        for (int i = 0; i < 30; ++i) ++times[picker.pick(start).value()];
        CHECK(times[0] == 10);
        CHECK(times[1] == 10);
        CHECK(times[2] == 10);
    }
}

TEST_CASE("least requests takes the endpoint with the fewest in flight for its weight")
{
    endpoint_picker picker(spec({1, 3}, balance::least_requests));
    std::map<std::size_t, int> in_flight;
    for (int i = 0; i < 40; ++i) {
        auto const endpoint = picker.pick(start).value();
        picker.started(endpoint);
        ++in_flight[endpoint];
    }
    CHECK(in_flight[0] == 10);
    CHECK(in_flight[1] == 30);
    for (int i = 0; i < 5; ++i) picker.ended(0);
    for (int i = 0; i < 5; ++i) {
        CHECK(picker.pick(start) == std::size_t{0});
        picker.started(0);
    }
}

TEST_CASE("a failing endpoint rests a second, then twice as long each time, ten seconds at most")
{
    endpoint_picker picker(spec({1, 1}));
    auto now = start;
    for (auto const seconds : {1, 2, 4, 8, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10}) {
        CAPTURE(seconds);
        picker.failed(0, now);
        CHECK(picker.is_resting(0, now + seconds * second - base::micros{1}));
        CHECK(!picker.is_resting(0, now + seconds * second));
        now += seconds * second;
    }
    picker.succeeded(0);
    picker.failed(0, now);
    CHECK(!picker.is_resting(0, now + second)); // it starts over
    picker.succeeded(0);
    CHECK(!picker.is_resting(0, now)); // and a success ends a rest
}

TEST_CASE("who rests is passed over; when all rest there is nobody")
{
    for (auto const how : {balance::round_robin, balance::least_requests}) {
        bool const least = how == balance::least_requests;
        CAPTURE(least);
        endpoint_picker picker(spec({1, 1}, how));
        picker.failed(0, start);
        for (int i = 0; i < 5; ++i) CHECK(picker.pick(start) == std::size_t{1});
        picker.failed(1, start);
        CHECK(!picker.pick(start));
        CHECK(!picker.pick(start, 0));
        CHECK(picker.pick(start + second));
    }
}

TEST_CASE("the only endpoint never rests, and is taken again after it has failed")
{
    endpoint_picker picker(spec({1}));
    picker.failed(0, start);
    CHECK(!picker.is_resting(0, start));
    CHECK(picker.pick(start) == std::size_t{0});
    CHECK(picker.pick(start, 0) == std::size_t{0});
}

TEST_CASE("who has just failed for a request is taken again only if there is no other")
{
    for (auto const how : {balance::round_robin, balance::least_requests}) {
        bool const least = how == balance::least_requests;
        CAPTURE(least);
        endpoint_picker picker(spec({9, 1}, how));
        for (int i = 0; i < 5; ++i) CHECK(picker.pick(start, 0) == std::size_t{1});
        picker.failed(1, start);
        CHECK(picker.pick(start, 0) == std::size_t{0});
    }
}

TEST_CASE("a weight of zero counts as one")
{
    endpoint_picker picker(spec({0, 1}, balance::least_requests));
    picker.started(1);
    CHECK(picker.pick(start) == std::size_t{0});
}
