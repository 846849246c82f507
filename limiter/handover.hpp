// Tells the fleet's store, once it can be asked again, what was charged in its place: each counter by one ordinary check that is
// granted as many permits as fit. Before the first request for a counter that reaches the store, so that none finds a quota that was
// used already; the others in the background, some at a time. One worker's; what it tells of is shared by all (stand_in).
#pragma once

#include "limiter/asked_store.hpp"
#include "limiter/stand_in.hpp"

#include <cstddef>
#include <memory>
#include <span>

namespace penstock::limiter {

class handover {
public:
    // Both outlive the calls: `to` until it is stopped.
    handover(asked_store& to, stand_in& from) : to_(to), from_(from), progress_(std::make_shared<progress>()) {}

    [[nodiscard]] bool is_due() const noexcept { return from_.owes(); }
    // Of these claims' counters, in front of whatever is asked of them next.
    void before(std::span<claim const> asked, base::instant now);
    // Of some others; to be called often. Pauses, longer each time, while none of them is taken.
    void tick(base::instant now);

private:
    class call;
    static constexpr std::size_t most_under_way = 256;
    static constexpr base::micros first_pause{100'000};
    static constexpr base::micros longest_pause{5'000'000};

    // Of the calls; lives as long as the last of them. What was answered is noted here, and heard of by the next tick().
    struct progress {
        std::size_t under_way = 0;
        bool succeeded = false;
        bool failed = false;
    };

    void send(outage_debt debt, base::instant now);
    [[nodiscard]] bool pauses(base::instant now);

    asked_store& to_;
    stand_in& from_;
    std::shared_ptr<progress> progress_;
    base::micros pause_{0};
    base::instant pauses_until_{};
};

} // namespace penstock::limiter
