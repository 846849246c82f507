// When a cluster is asked for its slots: at once when somebody has reason to, but not more often than once in a second to a second
// and a half however many have, so that the workers of a fleet, which all have the same reason, do not ask in step; again soon
// when nobody answered; less and less often while slots have no owner, which may last; and now and then without a reason. One
// question at a time. A machine of events and times; cluster_nodes drives it. Pure.
#pragma once

#include "limiter/jitter.hpp"

#include <cstdint>

namespace penstock::limiter::redis {

class refresh_pace {
public:
    enum class event : std::uint8_t {
        wanted,     // what is known seems to be wrong
        answered,   // the question that is under way
        incomplete, // likewise: but slots have no owner
        failed,     // likewise: no answer
        timer,      // the time of the last action has come
    };
    struct action {
        bool ask = false;      // now; answered or failed follows
        base::instant until{}; // if not: the next timer
    };

    explicit refresh_pace(std::uint64_t seed) noexcept : jitter_(seed) {}

    action resume(event what, base::instant now) noexcept;

    static constexpr base::micros shortest_gap{1'000'000};
    static constexpr base::micros longest_gap{1'500'000}; // with a reason
    static constexpr base::micros usual_gap{30'000'000};
    static constexpr base::micros first_gap_while_incomplete{2'000'000}; // doubles up to the usual one
    static constexpr base::micros first_pause{50'000};
    static constexpr base::micros longest_pause{2'000'000};

private:
    [[nodiscard]] action ask() noexcept;
    void answered(base::micros gap, base::instant now) noexcept;

    jitter jitter_;
    bool asking_ = false;
    bool wanted_meanwhile_ = false;
    base::instant next_ = base::instant::min();     // without a reason
    base::instant earliest_ = base::instant::min(); // with one
    base::micros pause_{first_pause};
    base::micros gap_while_incomplete_{first_gap_while_incomplete};
};

} // namespace penstock::limiter::redis
