#include "bench/script/calls.hpp"

#include "limiter/gateway_census.hpp"
#include "limiter/redis/announcement.hpp"
#include "limiter/redis/lease_codec.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <random>

namespace penstock::bench {
namespace {

using limiter::redis::calling;

constexpr std::int64_t held_at_most = 1'000'000;

} // namespace

std::string_view const naive_text = R"(
local state = redis.call('HMGET', KEYS[1], 'level', 'at')
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1e6
local most, rate, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local level = math.min(most, (tonumber(state[1]) or most) + (now - (tonumber(state[2]) or now)) * rate)
local allowed = level >= cost
if allowed then level = level - cost end
redis.call('HSET', KEYS[1], 'level', level, 'at', now)
redis.call('EXPIRE', KEYS[1], math.ceil(most / rate) * 2)
return {allowed and 1 or 0, tostring(level)}
)";

std::string command(std::vector<std::string> const& words)
{
    auto frame = "*" + std::to_string(words.size()) + "\r\n";
    for (auto const& word : words) frame += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
    return frame;
}

std::string key_name(std::size_t caller, std::string const& limit)
{
    char name[40];
    std::snprintf(name, sizeof name, "rl:{ip=10.9.%06zu}", caller);
    return name + (":" + limit);
}

limits::limits()
{
    using std::chrono::hours, std::chrono::minutes, std::chrono::seconds;
    auto const today = base::since_epoch_us(base::clock::now()) / 86'400'000'000;
    for (int day = -3; day <= 3; ++day) days.starts.push_back((today + day) * 86'400'000'000);

    whole.quota.algorithm = *limiter::make_token_bucket(1'000'000, 1'000'000, base::micros{20'000'000'000});
    rational.quota.algorithm = *limiter::make_token_bucket(1'000'000, 999'983, base::micros{20'000'000'000});
    periodic.quota.algorithm = *limiter::make_periodic_bucket(999'999, 999'999, minutes(1));
    window.quota.algorithm = *limiter::make_fixed_window(999'999, minutes(1));
    clock.quota.algorithm = *limiter::make_clock_window(999'999, hours(1));
    calendar.quota.algorithm = *limiter::make_calendar_window(999'999, days);
    sliding.quota.algorithm = *limiter::make_sliding_window(999'999, minutes(1), 6);
    counter.quota.algorithm = *limiter::make_sliding_counter(9'999, minutes(1));
    // A thousand callers in turn keep about a hundred instants each in the window.
    log.quota.algorithm = *limiter::make_sliding_log(10'000, seconds(1));
    held.quota.algorithm = *limiter::make_concurrency(held_at_most);
    lasting.quota.algorithm = *limiter::make_token_bucket(100, 100, hours(10));
    for (std::uint32_t i = 0; i < 3; ++i) {
        packed[i] = whole;
        packed[i].packed_id = 0x9e3779b9U * (i + 1);
        packed_rational[i] = packed[i];
        packed_rational[i].quota.algorithm = rational.quota.algorithm;
    }

    tiny.quota.algorithm = *limiter::make_token_bucket(1, 1, hours(1));
    packed_tiny = packed[2];
    packed_tiny.quota.algorithm = tiny.quota.algorithm;
    tiny_log.quota.algorithm = *limiter::make_sliding_log(100, hours(1));
    tiny_sliding.quota.algorithm = *limiter::make_sliding_window(1, hours(1), 6);
    tiny_counter.quota.algorithm = *limiter::make_sliding_counter(1, hours(1));
}

std::string acquire(std::size_t caller, std::vector<limiter::policy const*> const& policies, std::uint32_t times)
{
    limiter::claims asked;
    std::vector<limiter::redis::holding> holdings;
    for (auto const* policy : policies) {
        auto& claim = asked.emplace_back();
        claim.policy = policy;
        claim.times = times;
        claim.key.append(key_name(caller, std::string(1, static_cast<char>('a' + asked.size() - 1))));
        claim.identity_end = static_cast<std::uint8_t>(claim.key.view().find('}') + 1);
        holdings.push_back({.holder = 1, .held = 0});
    }
    std::string frame;
    append_acquire(frame, calling::by_digest, {.asked = asked, .now = base::clock::now(), .holdings = holdings});
    return frame;
}

std::string hold(std::string const& key, limiter::redis::holding const& by, std::int64_t cost)
{
    auto const arguments = limiter::redis::pack_permits(held_at_most, by, cost);
    std::string frame;
    append_script(frame, calling::by_digest, {.what = &limiter::redis::scripts::acquire, .key = key, .arguments = arguments});
    return frame;
}

std::string lease(std::size_t caller, limiter::policy const& of, std::int64_t want)
{
    limiter::lease_request asked;
    asked.key.append(key_name(caller, "a"));
    asked.algorithm = of.quota.algorithm;
    asked.want = want;
    asked.reports[0] = {.lapses_at_us = 1, .spent = want, .returned = 0};
    std::string frame;
    append_lease(frame, calling::by_digest, asked, nullptr);
    return frame;
}

std::string announce(std::int64_t gateway)
{
    auto const arguments = limiter::redis::pack_announcement(gateway, limiter::gateway_census::lapse);
    std::string frame;
    append_script(frame, calling::by_digest,
                  {.what = &limiter::redis::scripts::announce, .key = "rl:{penstock-gateways}", .arguments = arguments});
    return frame;
}

std::vector<std::string> repeated(std::function<std::vector<std::string>(std::size_t)> const& make, std::size_t callers,
                                  std::size_t calls)
{
    std::mt19937 random(11);
    std::uniform_int_distribution<std::size_t> caller(0, callers - 1);
    std::vector<std::string> all;
    while (all.size() < calls)
        for (auto& one : make(caller(random))) all.push_back(std::move(one));
    return all;
}

} // namespace penstock::bench
