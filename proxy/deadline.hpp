// Deadlines of one worker: a coarse timing wheel with one tick for all connections, in place of a timer per socket. Setting
// and clearing a deadline is a store of one integer; the wheel looks again when its slot comes round (Varghese and Lauck,
// "Hashed and hierarchical timing wheels", scheme 6 with lazy moves). A deadline fires at its time or up to `tick` later,
// never before. Pure: the worker's tick timer calls advance(); nothing here reads a clock. One thread.
#pragma once

#include "base/clock.hpp"

#include <boost/intrusive/list.hpp>

#include <algorithm>
#include <array>
#include <cstddef>

namespace penstock::proxy {

class deadline_wheel;

// One thing that may come too late; the owner of a wait derives from it. Removes itself when destroyed.
class deadline : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
public:
    explicit deadline(deadline_wheel& wheel) noexcept : wheel_(&wheel) {}
    deadline(deadline const&) = delete;
    deadline& operator=(deadline const&) = delete;

    void expires_at(base::instant due) noexcept;
    // From the wheel's own, coarse time: fires after `wait` and at most two ticks, never before.
    void expires_after(base::micros wait) noexcept;
    void expires_never() noexcept { due_ = base::instant::max(); }
    [[nodiscard]] deadline_wheel& wheel() const noexcept { return *wheel_; }

protected:
    virtual ~deadline() = default;

private:
    friend class deadline_wheel;
    virtual void on_deadline() noexcept = 0; // called by deadline_wheel::advance(); may set a new deadline, may destroy others

    deadline_wheel* wheel_;
    base::instant due_ = base::instant::max();
    base::instant filed_ = base::instant::max(); // when the wheel looks at it next
};

class deadline_wheel {
public:
    static constexpr base::micros tick{50'000};

    explicit deadline_wheel(base::instant start) noexcept : now_(start) {}

    // Fires everything that is due at `now`. Call about once per tick.
    void advance(base::instant now) noexcept;
    // Somebody has read the clock: nearer to the truth than the last advance().
    void note(base::instant now) noexcept { seen_ = std::max(seen_, now); }
    [[nodiscard]] base::instant now() const noexcept { return std::max(now_, seen_); }

private:
    friend class deadline;
    static constexpr std::size_t slots = 1024; // 51 s; what is further away is looked at once per turn
    using list = boost::intrusive::list<deadline, boost::intrusive::constant_time_size<false>>;

    void file(deadline& item) noexcept;

    base::instant now_;
    base::instant seen_{};
    std::size_t hand_ = 0;
    std::array<list, slots> ring_;
};

} // namespace penstock::proxy
