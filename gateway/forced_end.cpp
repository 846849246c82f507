#include "gateway/forced_end.hpp"

#include <csignal>

#include <unistd.h>

namespace penstock::gateway {
namespace {

volatile std::sig_atomic_t status_at_end = 0;

extern "C" void end_now(int) { ::_exit(status_at_end); }

} // namespace

void force_end_within(std::chrono::seconds patience, exit_status status) noexcept
{
    status_at_end = static_cast<int>(status);
    std::signal(SIGALRM, end_now);
    ::alarm(static_cast<unsigned>(patience.count()));
}

} // namespace penstock::gateway
