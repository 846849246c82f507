// The life of the connection to Redis: locating (asking the sentinels, if there are any), connecting, greeting (AUTH, SELECT,
// PING as needed), ready, and after any failure a pause before the next try. Says what to do next and until when; its shell is dialer. Knows no socket, bytes or
// clock. Pure.
#pragma once

#include "limiter/jitter.hpp"

#include <cstdint>
#include <optional>

namespace penstock::limiter::redis {

class connection_fsm {
public:
    enum class state : std::uint8_t { idle, locating, connecting, greeting, ready, pausing, stopped };
    enum class event : std::uint8_t {
        start,
        located,   // the primary is known
        connected, // the socket is
        welcome,   // every command of the greeting was accepted
        broken,    // any failure: refused, reset, timed out, turned away, nonsense
        unready,   // turned away by a server that answers and may soon serve: it is loading, or a replica
        timer,     // the deadline of the last action
        stop,
    };
    struct action {
        enum class verb : std::uint8_t {
            nothing,
            locate,  // the primary, and be done by `until`
            connect, // and be done by `until`
            greet,   // the deadline of `connect` still holds
            serve,   // no deadline
            pause,   // drop the socket; nothing until `until`
            close,   // drop the socket for good
        };
        verb what = verb::nothing;
        base::instant until{};
    };

    struct time_limits {
        base::micros connect;
        base::micros locate{0}; // 0: there is nothing to locate
    };
    connection_fsm(time_limits limits, std::uint64_t seed) noexcept : limits_(limits), jitter_(seed) {}

    [[nodiscard]] state now_in() const noexcept { return state_; }
    action resume(event what, base::instant now) noexcept;
    // From the next action on; and of the try under way, when it is to be over by these limits.
    std::optional<base::instant> adopt(time_limits limits) noexcept;

    static constexpr base::micros shortest_pause{10'000};
    static constexpr base::micros first_pause{50'000};
    static constexpr base::micros longest_pause{5'000'000};
    // Sentinels can be asked often, and a failover should not be slept through.
    static constexpr base::micros longest_pause_of_search{1'000'000};
    // One try a second is no burden to a server that answers it, and the moment when it serves should not be slept through either.
    static constexpr base::micros longest_pause_while_unready{1'000'000};
    // A connection that lasted so long was a good one: the pauses begin anew.
    static constexpr base::micros proven_after{1'000'000};

private:
    action try_anew(base::instant now) noexcept;
    action connect(base::instant now) noexcept;
    action pause(base::instant now, base::micros longest = longest_pause) noexcept;

    time_limits limits_;
    jitter jitter_;
    state state_ = state::idle;
    base::micros most_{first_pause}; // of the next pause; doubles with each failure
    base::instant ready_since_{};
    base::instant tries_since_{}; // to locate, or to connect
};

} // namespace penstock::limiter::redis
