// What the fleet's store last said of counters that are less than half full, for the outage that may begin now: 65,536 of them,
// each in the place that its key's hash gives it, the newer in place of the older. Written on the path of every request: no lock, no
// allocation, four plain stores, and none at all for a counter that is rather full and not there. Thread safe: a reader that
// meets a writer finds nothing.
#pragma once

#include "limiter/outage_share.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

namespace penstock::limiter {

class recent_answers {
public:
    // Memory is only taken as it is written to. Throws std::bad_alloc.
    recent_answers();

    // `tag`: a hash of the counter's key, never 0. `burst`: as much as it can hold.
    void note(std::uint64_t tag, last_answer const& said, std::int64_t burst) noexcept;
    [[nodiscard]] std::optional<last_answer> find(std::uint64_t tag) const noexcept;

private:
    static constexpr std::size_t places = 65'536;
    static constexpr std::size_t words = 4; // of a place: tag mixed with the others, remaining, at, reset_after

    struct free_memory {
        void operator()(std::uint64_t* all) const noexcept;
    };
    [[nodiscard]] std::uint64_t* place_of(std::uint64_t tag) const noexcept { return &all_[tag % places * words]; }

    std::unique_ptr<std::uint64_t[], free_memory> all_;
};

} // namespace penstock::limiter
