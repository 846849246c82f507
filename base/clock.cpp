#include "base/clock.hpp"

namespace penstock::base {
std::int64_t monotonic_us() noexcept
{
    using namespace std::chrono;
    return duration_cast<micros>(steady_clock::now().time_since_epoch()).count();
}

std::int64_t wall_clock_us() noexcept
{
    using namespace std::chrono;
    return duration_cast<micros>(system_clock::now().time_since_epoch()).count();
}

clock::time_point clock::now() noexcept
{
    // Read once: the distance between the steady clock and the wall clock as the process started.
    static std::int64_t const offset = wall_clock_us() - monotonic_us();
    return at_epoch_us(monotonic_us() + offset);
}

} // namespace penstock::base
