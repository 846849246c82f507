// What no single value shows: names that nothing has, limits that can never pass or never apply, routes that nothing
// reaches, settings that are open to forgery. Each file check_*.cpp holds one of these. Called by load. Pure.
#pragma once

#include "conf/document.hpp"
#include "conf/outline.hpp"
#include "conf/settings.hpp"

namespace penstock::conf {

// All that the checks look at. References must outlive the call.
struct checked {
    node const& root;
    settings const& read;
    outline const& parts;
};

void check_settings(checked const& all, problem_list& problems);  // listeners, admin, answers
void check_redis(checked const& all, problem_list& problems);     // how to reach it, and when not to
void check_client(checked const& all, problem_list& problems);    // who is believed about who is calling
void check_limits(checked const& all, problem_list& problems);    // each limit by itself
void check_options(checked const& all, problem_list& problems);   // queues, leases, shards
void check_tiers(checked const& all, problem_list& problems);     // overrides and attributes
void check_api_keys(checked const& all, problem_list& problems);  // where they come, and the known ones
void check_denials(checked const& all, problem_list& problems);   // deny lists
void check_tokens(checked const& all, problem_list& problems);    // issuers of tokens
void check_transport(checked const& all, problem_list& problems); // credentials in clear text (warnings)
void check_routes(checked const& all, problem_list& problems);    // each route by itself, and what covers what
void check_attempts(checked const& all, problem_list& problems);  // what trying credentials costs (warnings)
void check_coverage(checked const& all, problem_list& problems);  // what a caller can slip past (warnings)

// A cost that a header tells, of a limit or a route: needs somebody to believe.
void check_cost_field(checked const& all, node const& cost, std::string const& path, problem_list& problems);

} // namespace penstock::conf
