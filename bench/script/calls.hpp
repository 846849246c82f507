// The calls that script_bench sends, as bytes: the naive script's, and those of each script of lua/ as the gateway makes them.
// Pure, but for the clock that names the days of a calendar.
#pragma once

#include "limiter/redis/codec.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::bench {

// A bucket as many write it first: floating point, a hash, an expiry, a write whatever the answer.
extern std::string_view const naive_text;

std::string command(std::vector<std::string> const& words);
std::string key_name(std::size_t caller, std::string const& limit);

// One limit of each algorithm that the load never exhausts, and some that it does at once.
struct limits {
    limits();
    limiter::calendar days;
    limiter::policy whole;
    limiter::policy rational;
    limiter::policy periodic;
    limiter::policy window;
    limiter::policy clock;
    limiter::policy calendar;
    limiter::policy sliding;
    limiter::policy counter;
    limiter::policy log;
    limiter::policy held;
    limiter::policy lasting;               // a bucket that takes hours to refill: its keys stay
    std::array<limiter::policy, 3> packed; // three that share a key
    std::array<limiter::policy, 3> packed_rational;
    limiter::policy packed_tiny; // of the same
    limiter::policy tiny;
    limiter::policy tiny_log;
    limiter::policy tiny_sliding;
    limiter::policy tiny_counter;
};

// lua/acquire.lua for one request with these limits, or for `times` requests alike.
std::string acquire(std::size_t caller, std::vector<limiter::policy const*> const& policies, std::uint32_t times = 1);
// A concurrency limit's permit for a holder that has `held` already; one that is given back (its cost is negative).
std::string hold(std::string const& key, limiter::redis::holding const& by, std::int64_t cost);
// lua/lease.lua: so many permits, after a report of permits that have lapsed meanwhile.
std::string lease(std::size_t caller, limiter::policy const& of, std::int64_t want);
// lua/announce.lua, by one gateway.
std::string announce(std::int64_t gateway);

// So many calls, by callers at random; they are sent over and over.
std::vector<std::string> repeated(std::function<std::vector<std::string>(std::size_t)> const& make, std::size_t callers = 1000,
                                  std::size_t calls = 20'000);

} // namespace penstock::bench
