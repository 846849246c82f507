// The scripts that Redis runs for us, composed from lua/ and embedded by the build (cmake/EmbedLua.cmake). Knows their text
// and digest, not what they mean: the codec does. Pure constants.
#pragma once

#include <string_view>

namespace penstock::limiter::redis {

struct script {
    std::string_view text;
    std::string_view sha1; // of the text, 40 lower-case hexadecimal digits: what EVALSHA calls it by
};

namespace scripts {

extern script const acquire;  // lua/acquire.lua
extern script const refund;   // lua/refund.lua
extern script const lease;    // lua/lease.lua
extern script const announce; // lua/announce.lua
extern script const probe;    // lua/probe.lua

} // namespace scripts

} // namespace penstock::limiter::redis
