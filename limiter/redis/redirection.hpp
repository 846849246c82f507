// What a cluster's node says when it does not serve a key itself: MOVED, ASK, TRYAGAIN. Nothing was executed then, so the call
// may go out again. Pure.
#pragma once

#include "limiter/redis/cluster_slot.hpp"
#include "limiter/redis/redis_settings.hpp"

#include <string_view>

namespace penstock::limiter::redis {

struct redirection {
    enum class kind : std::uint8_t {
        none,      // another error
        moved,     // the slot belongs to `to`, from now on
        ask,       // this once `to` is to be asked, after ASKING: the slot is on its way there
        try_again, // of several keys some are here and some already there
    };
    kind what = kind::none;
    cluster_slot slot = 0; // of moved and ask
    redis_address to;      // likewise; without a host it is that of the node that says so
};

redirection read_redirection(std::string_view error);

// `host:port`, the host perhaps empty, or `?` where the node does not know it. Nothing if it is no such thing.
bool parse_redis_address(std::string_view text, redis_address& into);

} // namespace penstock::limiter::redis
