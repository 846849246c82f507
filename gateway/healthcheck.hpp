// `penstock healthcheck`: asks a running gateway's /readyz, for containers without a shell (OP-5). I/O; blocks for a few
// seconds at most.
#pragma once

#include "gateway/exit_status.hpp"

#include <string>

namespace penstock::gateway {

// `admin`: host:port. Says on stderr why, where the answer is no.
exit_status check_health(std::string const& admin);

} // namespace penstock::gateway
