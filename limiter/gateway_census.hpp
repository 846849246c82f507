// How many gateways of the fleet live, by what the store says once a second, and what that means while it says nothing: the
// number stays, because silence of the store says nothing of the others. Knows no store and no clock; driven by one worker of
// each process. Pure.
#pragma once

#include "base/clock.hpp"
#include "limiter/fleet_part.hpp"

#include <optional>

namespace penstock::limiter {

class gateway_census {
public:
    static constexpr base::micros interval{1'000'000}; // between two announcements
    static constexpr base::micros lapse{5'000'000};    // after it nobody counts any more who did not announce itself again

    // `place`: any number; where this gateway stands until the store has told it.
    explicit gateway_census(std::uint32_t place) noexcept : known_{.gateways = 1, .place = place} {}

    // Fewer are never believed in: what the configuration knows better.
    void set_floor(std::uint32_t at_least) noexcept { floor_ = at_least; }

    // The store has answered an announcement; has not.
    void heard(fleet_part const& said, base::instant now) noexcept;
    void silent() noexcept { listening_since_.reset(); }

    [[nodiscard]] fleet_part part() const noexcept;

private:
    std::uint32_t floor_ = 1;
    fleet_part known_;
    std::optional<base::instant> listening_since_; // without a silence in between
};

} // namespace penstock::limiter
