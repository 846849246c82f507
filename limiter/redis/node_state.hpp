// What can be told of one Redis node as one worker knows it: counters for a scrape, and lines for the operator. Plain values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

namespace penstock::limiter::redis {

struct node_counts {
    std::uint64_t commands = 0;             // sent
    std::uint64_t connects = 0;             // connections established
    std::uint64_t losses = 0;               // of connections that served
    std::uint64_t connect_failures = 0;     // tries that led to none
    std::size_t pending = 0;                // asked and not answered yet
    std::array<std::uint64_t, 32> errors{}; // by errc value
    bool up = false;
    unsigned breaker_state = 0; // 0 closed, 1 half open, 2 open
    std::string trouble{};      // what was told last of it; empty while it serves
};

// What a cluster adds, over all its nodes.
struct cluster_counts {
    std::size_t nodes = 0;         // that have slots
    std::uint64_t moved = 0;       // MOVED that were followed
    std::uint64_t asked = 0;       // ASK that were followed
    std::uint64_t tried_again = 0; // TRYAGAIN
    std::uint64_t refreshes = 0;   // of the slot map, that worked
    std::uint64_t refreshes_failed = 0;
    std::uint64_t split = 0;      // requests that took several calls
    std::uint64_t given_back = 0; // charges of such, because another call refused or failed
};

// A change of state (up, down, breaker), once per change, for one log line; or what single calls suffer while all else is well.
enum class change : std::uint8_t { better, worse, remark };
// Such a line. Two of the same kind about the same node tell of one trouble, in whatever words.
struct notice {
    notice(std::string line) : text(std::move(line)), kind(text) {} // a kind of its own
    notice(std::string line, std::string what) : text(std::move(line)), kind(std::move(what)) {}
    std::string text;
    std::string kind;
    std::string node{}; // of several; or empty
};
using state_listener = std::function<void(change direction, notice const& what_happened)>;

} // namespace penstock::limiter::redis
