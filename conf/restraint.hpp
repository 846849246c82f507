// Which limits of a term a request can come to, and whether one of them holds back whom it meets. What the warnings about
// requests that nothing holds go by. Called by check_coverage and check_attempts. Pure.
#pragma once

#include "conf/outline.hpp"

#include <vector>

namespace penstock::conf {

bool may_be_absent(limit_outline const& limit); // some requests lack the limit's key

// Every request has this limit's key, or is counted or refused without it.
bool always_applies(limit_outline const& limit);

bool exempts_everybody(limit_outline const& limit);

// Refuses callers that ask too often: it is enforced, is no matter of requests in flight, and exempts not everybody.
bool holds_back(limit_outline const& limit);

// The limits of a term that a request can be counted by: up to the first whose key every request has. An unknown limit is null;
// it has been reported, and ends them, too.
std::vector<limit_outline const*> reachable(outline const& all, term_outline const& term);

bool is_readable(limit_outline const* limit); // it exists, has a key and an algorithm; if not, that has been reported

} // namespace penstock::conf
