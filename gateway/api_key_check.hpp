// The API key of a request: looked for in the configured places and nowhere else (AK-1), in one spelling, and looked up among
// the known ones by its digest. Cheap, so that it comes before any limit. Pure; called by gateway/exchange.
#pragma once

#include "base/request_facts.hpp"
#include "conf/deny_list.hpp"
#include "conf/settings.hpp"
#include "gateway/credential_refusal.hpp"

#include <span>
#include <string>
#include <string_view>

namespace penstock::gateway {

struct api_key_check {
    credential_refusal why = credential_refusal::none;
    bool is_ignored = false; // not known, which is no reason to refuse here: the caller goes on without a key
    std::string_view key;    // decoded, if it is to be gone by; else empty
    conf::api_key_book::entry const* known = nullptr;
    conf::deny_list const* denied_by = nullptr; // the first that holds any key of the request, however many it presents
    // A list denies keys, and one of the request's is neither empty nor well-formed: nobody can tell which it is.
    bool is_undecided = false;

    // Sets api_key and api_key_attributes; they view the request, `scratch` and the configuration.
    void describe_in(base::request_facts& facts) const noexcept;
};

using deny_lists = std::span<conf::deny_list const* const>;

// `scratch` receives a key that must be decoded, and outlives the result.
api_key_check check_api_key(base::request_facts const& facts, conf::api_key_settings const& settings, std::string& scratch,
                            deny_lists denials = {});

} // namespace penstock::gateway
