#include "base/clock.hpp"

namespace penstock::base {
namespace {

std::int64_t steady_us() noexcept
{
    using namespace std::chrono;
    return duration_cast<micros>(steady_clock::now().time_since_epoch()).count();
}

} // namespace

std::int64_t wall_clock_us() noexcept
{
    using namespace std::chrono;
    return duration_cast<micros>(system_clock::now().time_since_epoch()).count();
}

clock::time_point clock::now() noexcept
{
    // Read once: the distance between the steady clock and the wall clock as the process started.
    static std::int64_t const offset = wall_clock_us() - steady_us();
    return at_epoch_us(steady_us() + offset);
}

} // namespace penstock::base
