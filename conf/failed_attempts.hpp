// Which limits a request is charged to whose credentials are refused (AK-40): those that its route names in before_auth; where
// it names none, the route's limits by address, so that nobody tries keys without being counted. Limits that others share, or
// whose key the caller makes up, are not among them: who cannot sign in exhausts nobody else's. Called by compile and
// check_coverage. Pure.
#pragma once

#include "limiter/plan.hpp"
#include "proxy/route_table.hpp"

#include <span>
#include <vector>

namespace penstock::conf {

// On this route: counts by who connects and by nothing that a caller can make up, and is no matter of requests in flight.
bool counts_attempts(limiter::policy const& limit, proxy::route const& on) noexcept;

// Of a route without before_auth: its terms that count failed attempts can be asked before a token is verified, as if they were
// named there (AK-36). Not where one of them counts only those whose key another limit lacks, or goes by what the token says:
// who has a good token might be refused by a limit that does not meet him.
bool can_ask_attempts_first(std::span<limiter::term const> terms, proxy::route const& on);

// Moves these terms to the front, and sets before_auth, if they can be asked first.
void ask_attempts_first(limiter::plan& plan, proxy::route const& on);

// Of a plan whose `terms` and `before_auth` are complete.
std::vector<limiter::term> failed_attempts_of(limiter::plan const& plan, proxy::route const& on);

} // namespace penstock::conf
