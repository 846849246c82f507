// What Penstock does, by the code that it decides with: limiter::advance, lease_ledger, lease_account and shard_of. Only the
// table of remembered denials is a stand-in: the production one is tied to its store's coroutines.
#pragma once

#include "bench/simulate/world.hpp"

namespace penstock::simulate {

std::unique_ptr<strategy> make_exact(world& in);       // one call a request
std::unique_ptr<strategy> make_remembering(world& in); // the same, and a refusal holds until the moment that it named
std::unique_ptr<strategy> make_leased(world& in);
std::unique_ptr<strategy> make_sharded(world& in); // in four, all tried before refusing; refusals remembered

} // namespace penstock::simulate
