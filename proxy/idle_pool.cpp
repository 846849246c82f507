#include "proxy/idle_pool.hpp"

namespace penstock::proxy {

std::unique_ptr<stream> idle_pool::take() noexcept
{
    while (!waiting_.empty()) {
        auto connection = std::move(waiting_.back().connection);
        waiting_.pop_back();
        // Closed by the upstream, or bytes that nobody asked for: never the answer to the next request (H1-58).
        if (connection->is_quiet()) return connection;
    }
    return nullptr;
}

void idle_pool::put(std::unique_ptr<stream> connection, base::instant now)
{
    if (waiting_.size() == most) waiting_.pop_front();
    waiting_.push_back({std::move(connection), now});
}

void idle_pool::expire(base::instant oldest) noexcept
{
    while (!waiting_.empty() && waiting_.front().since < oldest) waiting_.pop_front();
}

} // namespace penstock::proxy
