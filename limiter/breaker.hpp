// Circuit breaker: after `failures` in a row nobody asks any more, until a probe of our own has been answered. Never lets
// a user's request be the probe. A machine of values and times; redis/circuit drives it. Pure.
#pragma once

#include "limiter/error.hpp"
#include "limiter/jitter.hpp"
#include "limiter/redis/redis_settings.hpp"

#include <algorithm>
#include <cstdint>

namespace penstock::limiter {

// What one failed check says of the checks that would follow.
enum class omen : std::uint8_t {
    none,    // our own doing, or one key's: no reason to stop asking about the others
    bad,     // believed when it comes several times in a row
    certain, // needs no repetition to be believed
};
omen omen_of(errc why) noexcept;

class breaker {
public:
    enum class state : std::uint8_t { closed, half_open, open };

    breaker(breaker_settings wanted, std::uint64_t seed) noexcept : wanted_(wanted), jitter_(seed) {}

    [[nodiscard]] state now_in() const noexcept { return state_; }
    [[nodiscard]] bool may_ask() const noexcept { return state_ == state::closed; }
    // Open: from when a probe may be sent.
    [[nodiscard]] base::instant probe_at() const noexcept { return probe_at_; }

    // Other figures from now on; the state stays, and a probe that they would have sooner comes sooner.
    void adopt(breaker_settings wanted, base::instant now) noexcept;

    // Somebody else has found Redis well: a probe need not wait.
    void probe_at_once(base::instant now) noexcept { probe_at_ = std::min(probe_at_, now); }

    // How a check went. Ignored unless closed: what was under way when the breaker opened tells nothing new.
    // True: this failure opened the breaker.
    void succeeded() noexcept;
    bool failed(errc why, base::instant now) noexcept;

    // True if a probe is to be sent now: it is the only one until probe_succeeded() or probe_failed().
    bool start_probe(base::instant now) noexcept;
    // A new connection has been made: what is known of the old one no longer holds, a probe need not wait.
    bool start_probe_on_new_connection() noexcept;
    void probe_succeeded(base::instant now) noexcept;
    void probe_failed(base::instant now) noexcept;

    // A right that is missing once more so soon was missing all along, and what the probe asked did not need it.
    static constexpr base::micros relapse_within{60'000'000};

private:
    [[nodiscard]] bool suffices(errc why) noexcept;
    void open(base::instant now) noexcept;

    breaker_settings wanted_;
    jitter jitter_;
    state state_ = state::closed;
    unsigned in_a_row_ = 0;
    errc opened_by_{};
    unsigned times_opened_ = 0; // since it was last closed for good: each doubles the pause
    base::instant probe_at_{};
    base::instant closed_at_{};
};

} // namespace penstock::limiter
