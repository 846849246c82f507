// The checks that one connection has been asked and not yet answered, in the order in which Redis will answer. What has
// been given up keeps its place, so that the stream of replies stays aligned and the late reply is thrown away. Knows no
// socket, timer or clock; called by connection_owner. Pure.
#pragma once

#include "limiter/claim.hpp"
#include "limiter/redis/codec.hpp"

#include <boost/circular_buffer.hpp>

#include <cstddef>
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
    // The answer is in place. May run anything, also another check or the end of the store.
    virtual void wake(resumption when) = 0;

protected:
    ~waiter() = default;

private:
    base::result<verdict>* answer_;
};

class pipeline {
public:
    struct check {
        std::span<claim const> asked; // alive until `who` is woken
        base::instant deadline;
        waiter* who = nullptr; // null: given up
        calling how = calling::by_digest;
        bool sent_again = false;
    };
    // What a reply came to.
    enum class step : std::uint8_t {
        answered,   // `item.who` has its answer and is to be woken
        late,       // nobody waits any more
        send_again, // the script was unknown: `item` is to be sent once more, as `item.how` says, and pushed again
        unasked,    // no check is pending: the connection is out of step
    };
    struct taken {
        step what;
        check item;
    };

    // At most `bound` checks, those given up included.
    explicit pipeline(std::size_t bound) : bound_(bound), pending_(first_capacity) {}

    [[nodiscard]] bool full() const noexcept { return pending_.size() >= bound_; }
    [[nodiscard]] bool empty() const noexcept { return pending_.empty(); }
    void push(check const& item);

    // The reply to the oldest check.
    taken take(reply const& with) noexcept;

    // Gives up every check whose deadline has come; answers errc::timed_out. The caller wakes those returned.
    std::vector<waiter*> expire(base::instant now);
    // Answers everything that is pending with `why` and forgets it: the connection is gone. The caller wakes those returned.
    std::vector<waiter*> fail_all(errc why);

    // When to call expire(): the earliest deadline of those who wait.
    [[nodiscard]] std::optional<base::instant> next_deadline() const noexcept;
    // The deadline of the check that Redis must answer next, given up or not: how long it has been silent.
    [[nodiscard]] std::optional<base::instant> oldest_deadline() const noexcept;

private:
    static constexpr std::size_t first_capacity = 64;

    std::size_t bound_;
    boost::circular_buffer<check> pending_;
    bool text_under_way_ = false; // an EVAL is pending: whatever is sent after it finds the script loaded
};

} // namespace penstock::limiter::redis
