// Whether every request that one route matches is matched by another, by host, path pattern and methods; and what a pattern
// captures. Called by check_routes. Pure.
#pragma once

#include "proxy/route_table.hpp"

#include <string_view>

namespace penstock::conf {

// True if `later` can never match once `earlier` was tried. May be false where only a closer look would tell.
bool covers(proxy::route const& earlier, proxy::route const& later);

bool captures(proxy::path_pattern const& pattern, std::string_view name);

} // namespace penstock::conf
