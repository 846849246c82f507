// Whether every request that one route matches is matched by another, by host, path pattern and methods; what a pattern
// captures; and what is the same in all requests of a route. Called by check_routes, check_coverage and compile. Pure.
#pragma once

#include "proxy/route_table.hpp"

#include <string_view>

namespace penstock::conf {

// True if `later` can never match once `earlier` was tried. May be false where only a closer look would tell.
bool covers(proxy::route const& earlier, proxy::route const& later);

bool has_one_host(proxy::route const& route) noexcept;
bool has_one_path(proxy::route const& route) noexcept; // in however many spellings

bool captures(proxy::path_pattern const& pattern, std::string_view name);
// Whether the pattern captures what may be a credential, by its name: /reset/{token}.
bool captures_credential(proxy::path_pattern const& pattern);

} // namespace penstock::conf
