// `penstock demo`: the gateway in front of an upstream of its own, with limits in memory, and a page of commands to try.
#pragma once

#include "gateway/exit_status.hpp"

#include <string>

namespace penstock::gateway {

// `listen`: host:port of the gateway; `admin`: of its admin interface. Serves until SIGTERM or SIGINT.
exit_status run_demo(std::string const& listen, std::string const& admin);

} // namespace penstock::gateway
