// Upstream connections of one endpoint that wait for their next request: the one used last is taken first, what has waited
// too long or is too many is closed. One worker's thread; no I/O of its own but closing.
#pragma once

#include "base/clock.hpp"
#include "proxy/stream.hpp"

#include <deque>
#include <memory>

namespace penstock::proxy {

class idle_pool {
public:
    static constexpr std::size_t most = 512;

    // The connection that was put back last and is still quiet, or null.
    std::unique_ptr<stream> take() noexcept;
    void put(std::unique_ptr<stream> connection, base::instant now);
    // Closes what has waited since before `oldest`.
    void expire(base::instant oldest) noexcept;
    [[nodiscard]] std::size_t size() const noexcept { return waiting_.size(); }

private:
    struct item {
        std::unique_ptr<stream> connection;
        base::instant since;
    };
    std::deque<item> waiting_; // oldest in front
};

} // namespace penstock::proxy
