// What may be told of a refusal without telling whether the request's credentials were good (AK-44). Called by gateway/exchange
// where a gateway takes credentials. Pure.
#pragma once

#include "limiter/admit.hpp"
#include "limiter/plan.hpp"

#include <optional>
#include <span>

namespace penstock::limiter {

// Where a limit of `failed_attempt` refuses, these limits alone, for bad credentials would have met no other. None where all of
// them let the request pass.
std::optional<admission_ruling> refusal_of_attempt(admission_ruling const& gate, std::span<term const> failed_attempt) noexcept;

} // namespace penstock::limiter
