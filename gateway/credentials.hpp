// What is known of the credentials of one request while it is under way: first looked at, which is cheap, then verified, which
// may be signature work and therefore comes after the limits before_auth (AK-44). Value; a part of the exchange.
#pragma once

#include "conf/deny_list.hpp"
#include "gateway/credential_refusal.hpp"
#include "gateway/token_check.hpp"
#include "limiter/policy.hpp"

namespace penstock::gateway {

struct credentials {
    credential_refusal why = credential_refusal::none;
    limiter::policy const* lacking = nullptr; // of key_missing: the limit that insists on its key
    conf::deny_action denial{};               // of api_key_denied
    token_check token;                        // whoever is verified by it views what it holds
    bool unverified = false;                  // there is signature work to do

    [[nodiscard]] bool refused() const noexcept { return why != credential_refusal::none; }
};

} // namespace penstock::gateway
