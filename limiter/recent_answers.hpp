// What the fleet's store said last of 65,536 counters, for the outage that may begin now: each in the place that its key's hash gives
// it, the newer in place of the older. Written on the path of a request: no lock, no allocation, four plain stores. Thread safe: a
// reader that meets a writer finds nothing. Owned by stand_in, which says what is worth keeping.
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

    // `tag`: a hash of the counter's key, never 0.
    void note(std::uint64_t tag, last_answer const& said) noexcept;
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
