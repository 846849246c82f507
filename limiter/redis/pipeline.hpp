// What one connection has been asked and has not answered yet, in the order in which Redis will answer: checks, for each of
// which somebody waits until a deadline, and background calls. A check that has been given up keeps its place, so that the
// stream of replies stays aligned. Knows no socket, timer or clock; called by link. Pure.
#pragma once

#include "limiter/claim.hpp"
#include "limiter/redis/background_call.hpp"
#include "limiter/redis/codec.hpp"
#include "limiter/redis/permits.hpp"

#include <boost/circular_buffer.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace penstock::limiter::redis {

// Whether whoever waits runs before wake() returns, or in a later turn of the loop.
enum class resumption : std::uint8_t { now, later };

// Who waits for an answer. Lives until wake() is called, exactly once.
class waiter {
public:
    explicit waiter(base::result<verdict>& answer) noexcept : answer_(&answer) {}
    waiter(waiter const&) = delete;
    waiter& operator=(waiter const&) = delete;

    void answer(base::result<verdict> with) noexcept { *answer_ = std::move(with); }
    [[nodiscard]] base::result<verdict> const& answered() const noexcept { return *answer_; }
    // Redis has answered with this error. True: whoever waits has the question asked elsewhere, and the error is no answer.
    virtual bool redirected(std::string_view /*error*/) { return false; }
    // Whether its answer says how callers fare, which is what the breaker judges by.
    [[nodiscard]] virtual bool is_of_a_caller() const noexcept { return true; }
    // The answer is in place. May run anything, also another check or the end of the store.
    virtual void wake(resumption when) = 0;

protected:
    ~waiter() = default;

private:
    base::result<verdict>* answer_;
};

class pipeline {
public:
    struct item {
        std::span<claim const> asked = {};          // of a check: alive until `who` is woken
        base::instant deadline;                     // of a background call: only tells how long Redis has been silent
        waiter* who = nullptr;                      // of a check; null: given up
        std::unique_ptr<background_call> call = {}; // null: a check
        std::vector<permits_asked> left = {}; // by a check that was given up: the claims are gone, a late reply may grant them
        calling how = calling::by_digest;
        bool sent_again = false;
        bool asking = false; // to be sent behind ASKING: the node is being given the key's slot

        [[nodiscard]] script const& which() const noexcept { return call ? *call->what : scripts::acquire; }
    };
    // What a reply came to.
    enum class step : std::uint8_t {
        answered,   // `item.who` has its answer and is to be woken
        done,       // `item.call` is to be told the reply
        late,       // nobody waits any more; see granted_late()
        send_again, // the script was unknown: `item` is to be sent once more, as `item.how` says, and pushed again
        unasked,    // nothing is pending: the connection is out of step
    };
    struct taken {
        step what;
        pipeline::item item;
    };
    struct ended {
        std::vector<waiter*> waiters; // to be woken
        std::vector<std::unique_ptr<background_call>> calls;
        std::vector<permits> in_doubt; // asked for; whether Redis granted them nobody knows
    };

    // At most `bound` checks, those given up included, and half as many background calls.
    explicit pipeline(std::size_t bound) : bound_(bound), pending_(first_capacity) {}

    // From now on; what is pending stays, be it more.
    void limit_to(std::size_t bound) noexcept { bound_ = bound; }

    [[nodiscard]] bool full() const noexcept { return pending_.size() - calls_ >= bound_; }
    [[nodiscard]] bool full_of_calls() const noexcept { return calls_ >= (bound_ + 1) / 2; }
    [[nodiscard]] std::size_t size() const noexcept { return pending_.size(); }
    [[nodiscard]] bool empty() const noexcept { return pending_.empty(); }
    void push(item next);

    // The reply to the oldest item.
    taken take(reply const& with) noexcept;
    // The permits that a late reply granted to a check that was given up: they are to be given back.
    static std::vector<permits> granted_late(item const& late, reply const& with);

    // Gives up every check whose deadline has come; answers errc::timed_out. The caller wakes those returned.
    std::vector<waiter*> expire(base::instant now);
    // Answers everybody who waits with `why` and forgets all: the connection is gone. The caller wakes and tells them.
    ended fail_all(errc why);

    // When to call expire(): the earliest deadline of those who wait.
    [[nodiscard]] std::optional<base::instant> next_deadline() const noexcept;
    // The deadline of what Redis must answer next, given up or not: how long it has been silent.
    [[nodiscard]] std::optional<base::instant> oldest_deadline() const noexcept;

private:
    static constexpr std::size_t first_capacity = 64;

    std::size_t bound_;
    std::size_t calls_ = 0; // of what is pending
    boost::circular_buffer<item> pending_;
    std::vector<script const*> texts_under_way_; // sent by EVAL: whoever is sent after it finds that script loaded
};

} // namespace penstock::limiter::redis
