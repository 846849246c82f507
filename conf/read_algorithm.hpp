// The algorithm that a limit names, with its numbers; and the same algorithm with other numbers, as an override or a tier
// gives them. Called by read_limit and the checks. Pure.
#pragma once

#include "conf/calendars.hpp"
#include "conf/document.hpp"
#include "limiter/algorithm.hpp"

#include <optional>
#include <string_view>

namespace penstock::conf {

bool is_algorithm(std::string_view key) noexcept; // token_bucket, fixed_window, ...

// The first algorithm that stands in `limit`; null if none does.
member const* find_algorithm(node const& limit) noexcept;

// What `written` (a member that find_algorithm returned) says, with what stands in `instead` (may be null) in place of its own.
// Nothing where a number is missing, wrong (reported by the checks), no calendar among those that are known, or cannot be kept exactly.
std::optional<limiter::algorithm> read_algorithm(member const& written, node const* instead, calendars const& known);

} // namespace penstock::conf
