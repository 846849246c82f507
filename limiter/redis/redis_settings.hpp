// How to reach Redis, compiled from the configuration's `redis` section. Plain values.
#pragma once

#include "base/clock.hpp"

#include <cstdint>
#include <string>

namespace penstock::limiter {

struct breaker_settings {
    unsigned failures = 5; // in a row
    base::micros open_for{1'000'000};
    base::micros open_for_max{30'000'000};
    friend bool operator==(breaker_settings const&, breaker_settings const&) = default;
};

struct redis_settings {
    std::string host; // empty: unix socket
    std::uint16_t port = 6379;
    std::string unix_path;
    std::string user;     // ACL user; empty: the default user
    std::string password; // empty: no AUTH
    unsigned database = 0;
    base::micros check_timeout{20'000};
    base::micros connect_timeout{1'000'000};
    std::size_t max_pending = 4096; // checks waiting on one connection; beyond it errc::overloaded
    breaker_settings breaker;
    std::string probe_key = "rl:{penstock-probe}"; // what an open breaker asks about; under the key prefix
    base::instant const* test_clock = nullptr;     // for tests: replaces Redis' clock. No configuration reaches it
    friend bool operator==(redis_settings const&, redis_settings const&) = default;
};

} // namespace penstock::limiter
