// How many cores this process may use: its CPU affinity, cut to the cgroup's quota (v1 and v2). I/O; called at start.
#pragma once

namespace penstock::gateway {

// At least 1.
unsigned usable_cores();

} // namespace penstock::gateway
