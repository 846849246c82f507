#include "limiter/gateway_census.hpp"

#include <algorithm>

namespace penstock::limiter {

void gateway_census::heard(fleet_part const& said, base::instant now) noexcept
{
    if (!listening_since_) listening_since_ = now;
    // Behind a silence the others may only not have announced themselves again: the store may have lost its memory.
    auto const all_have_spoken = now - *listening_since_ >= lapse;
    auto const gateways = all_have_spoken ? said.gateways : std::max(said.gateways, known_.gateways);
    known_ = {.gateways = gateways, .place = said.place};
}

fleet_part gateway_census::part() const noexcept
{
    auto const gateways = std::max({known_.gateways, floor_, 1U});
    return {.gateways = gateways, .place = known_.place % gateways};
}

} // namespace penstock::limiter
