// 64 bits that name a question: one key, held to the same numbers, at the same cost. Keyed, so that no caller can make two
// questions look alike. Used by denial_memory and fleet_front. Pure.
#pragma once

#include "base/stable_hash.hpp"
#include "limiter/claim.hpp"

#include <cstdint>

namespace penstock::limiter {

// Never 0. A key's end tells algorithms and lengths of windows apart already; an attribute may give one key other numbers.
std::uint64_t fingerprint_of(claim const& asked, base::hash_key secret) noexcept;

} // namespace penstock::limiter
