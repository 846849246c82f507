// Which endpoint of an upstream takes the next request: round robin or least requests, by weight, passing over endpoints
// that rest after failures. Also how long a failing endpoint rests. Pure; one per upstream and worker.
#pragma once

#include "base/clock.hpp"
#include "proxy/upstream_spec.hpp"

#include <cstddef>
#include <optional>
#include <vector>

namespace penstock::proxy {

class endpoint_picker {
public:
    explicit endpoint_picker(upstream_spec const& spec);

    // `not_this`: an endpoint that has just failed for this request; taken again only if there is no other.
    std::optional<std::size_t> pick(base::instant now, std::optional<std::size_t> not_this = {}) noexcept;

    void started(std::size_t endpoint) noexcept { ++loads_[endpoint].in_flight; }
    void ended(std::size_t endpoint) noexcept { --loads_[endpoint].in_flight; }

    // A connection could not be made: the endpoint rests, twice as long each time, unless it is the only one.
    void failed(std::size_t endpoint, base::instant now) noexcept;
    void succeeded(std::size_t endpoint) noexcept;
    [[nodiscard]] bool is_resting(std::size_t endpoint, base::instant now) const noexcept
    {
        return loads_[endpoint].rests_until > now;
    }

private:
    struct load {
        unsigned weight = 1;
        std::size_t in_flight = 0;
        std::int64_t credit = 0; // smooth weighted round robin
        unsigned failures = 0;   // in a row
        base::instant rests_until{};
    };
    std::vector<load> loads_;
    balance how_;
    std::size_t next_ = 0; // where least_requests starts looking, so that equals take turns
};

} // namespace penstock::proxy
