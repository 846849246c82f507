// The command line: run, demo, check, healthcheck, version. Errors go to stderr; the exit status is design.md section 2's.
#pragma once

#include "gateway/exit_status.hpp"

namespace penstock::gateway {

exit_status run_command_line(int argc, char const* const* argv);

} // namespace penstock::gateway
