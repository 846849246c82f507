// The end of the process whatever still runs: a thread that waits for a name server cannot be ended, and whoever joins it waits as
// well. Called by app. I/O (a signal).
#pragma once

#include "gateway/exit_status.hpp"

#include <chrono>

namespace penstock::gateway {

// From now on the process has that long to end by itself; then it is ended, with this status. What was not written is lost.
void force_end_within(std::chrono::seconds patience, exit_status status) noexcept;

} // namespace penstock::gateway
