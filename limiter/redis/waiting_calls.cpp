#include "limiter/redis/waiting_calls.hpp"

#include <algorithm>
#include <utility>

namespace penstock::limiter::redis {

bool waiting_calls::add(waiting_call one)
{
    if (waiting_.size() == most) return false;
    waiting_.push_back(one);
    await_first();
    return true;
}

std::vector<waiting_call> waiting_calls::stop()
{
    due_.cancel();
    return std::exchange(waiting_, {});
}

void waiting_calls::await_first()
{
    if (waiting_.empty()) return;
    auto const next = std::ranges::min(waiting_, {}, &waiting_call::until).until;
    if (next == due_at_) return;
    due_at_ = next;
    due_.expires_at(next);
    due_.async_wait([this, alive = owner_.lifeline()](base::error_code cancelled) {
        auto const self = alive.lock();
        if (self && !cancelled) on_time();
    });
}

void waiting_calls::on_time()
{
    due_at_ = base::instant::max();
    auto const now = base::clock::now();
    owner_.on_due(take([now](waiting_call const& each) { return each.until <= now; }), now);
    await_first();
}

} // namespace penstock::limiter::redis
