// Sends prepared calls to a redis-server as fast as it answers, and reads from its own accounts what they cost: CPU time, bytes
// in and out. Knows no script; what is sent is in calls.hpp. I/O, blocking, one thread.
#pragma once

#include "tests/support/redis_server.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace penstock::bench {

struct workload {
    std::string name;
    std::string compared_with; // the name of another; empty: nothing
    std::size_t calls = 1;     // per decision
    std::vector<std::string> commands;
    std::size_t connections = 4;
    std::size_t depth = 32; // calls in flight on each connection
    std::size_t slower = 1; // so many times fewer decisions in a round
    std::size_t first = 0;  // before a round at the least so many, that do not count
};

// Of one decision, the middle of all rounds.
struct cost {
    double per_second = 0;     // decisions, of wall-clock time
    double per_cpu_second = 0; // decisions, of CPU time that the server used
    double bytes_in = 0;       // to the server, without what TCP and IP add
    double bytes_out = 0;
    double ratio = 1; // of per_second to what it is compared with
    double cpu_ratio = 1;
};

// Runs `decisions` of the load once, over its commands again and again. Decisions per second.
double run(tests::redis_server const& server, workload const& load, std::size_t decisions);

// In each round every load once, on an empty server that has met a part of the load before, and just before it what it is
// compared with: only neighbours in time share their luck. In the order of the loads.
std::vector<cost> measure(tests::redis_server const& server, std::vector<workload> const& loads, std::size_t decisions,
                          std::size_t rounds);

// One load on the server as it is.
cost measure_once(tests::redis_server const& server, workload const& load, std::size_t decisions);

// A line for each, with ratios to what it is compared with.
void print(std::vector<workload> const& loads, std::vector<cost> const& costs);

} // namespace penstock::bench
