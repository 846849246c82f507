// A call of a script that no request waits for: giving back, renewing, taking permits in advance. It travels on the same
// connection as the checks, in the order of sending, but has no deadline: a late reply is as good as a quick one, and a
// connection that stays silent is dropped, which ends the call too. Plain value.
#pragma once

#include "base/result.hpp"
#include "limiter/redis/codec.hpp"
#include "limiter/redis/scripts.hpp"

#include <functional>
#include <string>

namespace penstock::limiter::redis {

struct background_call {
    script const* what = nullptr; // never null
    std::string key;
    std::string arguments = {};       // packed as the script wants them
    calling how = calling::by_digest; // by_text: what follows on this connection finds the script
    // Packs them anew when the script was unknown and the call goes out once more. May be empty, where they do not age.
    std::function<std::string()> packed_anew = {};
    // Is told the reply, whose text it must not keep, or why there is none: an error reply's meaning, not_connected (it may
    // have run all the same), overloaded. May be empty.
    std::function<void(base::result<reply> const& answer)> done = {};
    // Redis has answered with this error. True: the call goes elsewhere, `self` may have been moved from, and the error is no
    // reply. May be empty.
    std::function<bool(std::string_view error, background_call& self)> redirected = {};
    bool quiet = false;  // whoever is told by `done` says and counts what there is of a failure
    bool asking = false; // to be sent behind ASKING: the node is being given the key's slot
};

} // namespace penstock::limiter::redis
