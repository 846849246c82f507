// Pauses drawn at random, so that the workers of a fleet do not knock at a recovering Redis at the same instant. A small
// generator of its own: seeded by the owner, reproducible in tests. Pure.
#pragma once

#include "base/clock.hpp"

#include <cstdint>

namespace penstock::limiter {

class jitter {
public:
    explicit constexpr jitter(std::uint64_t seed) noexcept : state_(seed) {}

    // Anywhere from `least` to `most`, evenly.
    constexpr base::micros between(base::micros least, base::micros most) noexcept
    {
        if (most <= least) return least;
        auto const span = static_cast<std::uint64_t>((most - least).count()) + 1;
        return least + base::micros{static_cast<std::int64_t>(next() % span)};
    }

private:
    // SplitMix64 (Steele, Lea, Flood 2014).
    constexpr std::uint64_t next() noexcept
    {
        state_ += 0x9E3779B97F4A7C15U;
        auto z = state_;
        z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
        z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
        return z ^ (z >> 31U);
    }
    std::uint64_t state_;
};

} // namespace penstock::limiter
