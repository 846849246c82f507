// Tells the service manager what state the program is in (sd_notify protocol, OP-60, OP-61): a datagram to the socket that
// NOTIFY_SOCKET names, nothing where it is unset. I/O, never waits.
#pragma once

#include <string>

namespace penstock::gateway {

void notify_ready();
void notify_reloading();
void notify_stopping();

} // namespace penstock::gateway
