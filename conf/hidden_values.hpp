// Which values of a limit's key a hash stands for: all that may be credentials by their names, and all from places that API keys
// come from, whatever those are called (AK-5). Called by outline. Pure.
#pragma once

#include "conf/credential_source.hpp"
#include "partition/descriptor.hpp"

#include <span>

namespace penstock::conf {

void hide_credentials(partition::descriptor& key, std::span<credential_source const> from);

} // namespace penstock::conf
