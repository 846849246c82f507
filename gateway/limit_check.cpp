#include "gateway/limit_check.hpp"

#include "gateway/worker.hpp"
#include "gateway/workspace.hpp"
#include "limiter/acquire.hpp"

#include <algorithm>

namespace penstock::gateway {

bool is_counted_here(configuration_view const& view, workspace const& space) noexcept
{
    return !view.stores.fleet || limiter::all_in_memory(space.asking());
}

void check_memory(worker& owner, workspace& space, base::instant now)
{
    space.gate = limiter::acquire_in_memory(owner.parts().memory, space.asking(), now);
    // Shorter than it takes to read the clock twice: one in many is measured.
    if (++owner.counts().memory_checks % telemetry::memory_checks_per_sample == 0)
        owner.counts().check_memory.observe(base::clock::now() - now);
}

boost::asio::awaitable<base::micros> check_fleet(worker& owner, configuration_view const& view, workspace& space,
                                                 base::instant now, base::micros spent)
{
    auto const deadline = now + std::max(base::micros{0}, view.snapshot->settings.redis->check_timeout - spent);
    co_await limiter::acquire(view.stores, space.asking(), deadline, space.gate);
    auto const took = base::clock::now() - now;
    owner.counts().check_redis.observe(took);
    co_return took;
}

} // namespace penstock::gateway
