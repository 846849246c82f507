// Finds the end of a message head among received bytes and holds it to its limits while it is still arriving, so that the
// parser only ever sees whole heads. Refuses what is visibly no HTTP/1 at once instead of waiting for more (H1-2, H1-3,
// H1-14, H1-28, H1-110). Pure.
#pragma once

#include "proxy/head_problem.hpp"

#include <cstddef>
#include <string_view>

namespace penstock::proxy {

struct head_limits {
    std::size_t start_line = 8192;
    std::size_t field = 16 * 1024;
    std::size_t fields = 64 * 1024;
    std::size_t field_count = 100;

    // The most bytes that a head within the limits can have, empty lines in front included.
    [[nodiscard]] std::size_t total() const noexcept { return start_line + fields + 64; }
};

class head_scanner {
public:
    explicit head_scanner(head_limits const& limits) noexcept : limits_(&limits) {}

    struct progress {
        std::size_t length = 0; // of the whole head, its last empty line included; 0: more is needed
        std::size_t skip = 0;   // empty lines in front of it
        head_problem problem = head_problem::none;
    };
    // `bytes`: everything received since the message began; each call continues where the last one stopped.
    progress scan(std::string_view bytes) noexcept;

private:
    head_limits const* limits_;
    std::size_t skip_ = 0;
    std::size_t line_ = 0;  // where the line being looked at begins
    std::size_t lines_ = 0; // whole lines seen, the start line included
    std::size_t fields_at_ = 0;
};

} // namespace penstock::proxy
