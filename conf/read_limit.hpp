// One limit of the document as far as it can be read: see outline. Called by outline only. Pure.
#pragma once

#include "conf/outline.hpp"

namespace penstock::conf {

limit_outline read_limit(member const& written, partition::client_settings const& client, calendars const& known);

// The field that a cost is read from, if `cost` names one.
std::optional<limiter::cost_field> read_cost_field(node const* cost);

} // namespace penstock::conf
