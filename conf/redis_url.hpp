// Where Redis is, as redis.url says it. Knows no key of the configuration and resolves no name. Called by check_value,
// check_redis and read_settings. Pure.
#pragma once

#include "limiter/redis/redis_settings.hpp"

#include <optional>
#include <string_view>

namespace penstock::conf {

// redis://[LOGIN@]HOST[:PORT][/DATABASE], rediss:// (the same, over TLS), unix://[LOGIN@]/PATH,
// redis+sentinel://[LOGIN@]HOST[:PORT][,HOST[:PORT]…]/NAME[/DATABASE], rediss+sentinel://; each with [?db=DATABASE]; and
// redis+cluster://[LOGIN@]HOST[:PORT][,HOST[:PORT]…], rediss+cluster://.
// LOGIN is USER, USER:PASSWORD or :PASSWORD, percent-encoded as needed. Only what a URL can say is set.
std::optional<limiter::redis_settings> parse_redis_url(std::string_view text);

} // namespace penstock::conf
