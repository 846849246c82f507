// Asks the stores for the claims of a request once and measures it: space.asking() in, space.gate out. One worker's thread.
#pragma once

#include "base/clock.hpp"
#include "gateway/configuration_view.hpp"

#include <boost/asio/awaitable.hpp>

namespace penstock::gateway {

class worker;
struct workspace;

// Whether check_memory() is enough.
bool is_counted_here(configuration_view const& view, workspace const& space) noexcept;

// Never waits.
void check_memory(worker& owner, workspace& space, base::instant now);

// `now`: the start of the time that the fleet's store has, `spent` what an earlier stage of this request took of it: a request
// waits for its store once, in however many stages it asks. Returns how long it took.
boost::asio::awaitable<base::micros> check_fleet(worker& owner, configuration_view const& view, workspace& space,
                                                 base::instant now, base::micros spent);

} // namespace penstock::gateway
