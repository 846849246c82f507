// The token of a request (Authorization: Bearer): found and looked up cheaply, verified only when the limits that stand
// before it have said yes (AK-44). look() never does signature work; verify() blocks its thread for it (30 to 100
// microseconds). One worker's thread; held by configuration_view, so that a reload starts with an empty cache.
#pragma once

#include "auth/refusal.hpp"
#include "auth/token_cache.hpp"
#include "auth/token_settings.hpp"
#include "auth/verified_token.hpp"
#include "base/request_facts.hpp"
#include "base/stable_hash.hpp"
#include "gateway/telemetry.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::gateway {

// What is known of a request's token. The exchange keeps it as long as its facts are used.
struct token_check {
    enum class outcome : std::uint8_t {
        absent,     // none, or one that is no good where `on_invalid: anonymous` says to go on without
        malformed,  // the request presents it in a way that it must not: 400
        invalid,    // 401
        valid,      // `accepted` holds its claims
        unverified, // verify() has to do signature work
    };
    outcome result = outcome::absent;
    auth::refusal why = auth::refusal::none;          // also of an absent one that was no good
    std::string_view token;                           // of an unverified one: a view of the request's field
    auth::cache_key key{};                            // likewise
    std::vector<std::string> const* scopes = nullptr; // where one of these is missing: what the issuer's tokens have to grant
    auth::verified_token_ptr accepted;

    [[nodiscard]] bool is_refused() const noexcept { return result == outcome::malformed || result == outcome::invalid; }
    // Sets token_issuer and token_claims, empty unless valid; they view `accepted`.
    void describe_in(base::request_facts& facts) const noexcept;
};

class token_checker {
public:
    // Tells the owner of the key sets that a token names a key that this issuer is not known to have.
    using unknown_key_call = std::function<void(std::string const& issuer)>;

    // `settings` and `counts` outlive it; `secret` is random.
    token_checker(auth::token_settings const& settings, token_counts& counts, base::hash_key secret,
                  unknown_key_call unknown_key);

    // absent, malformed, invalid, valid (seen before and still good) or unverified. `now_us`: wall clock since the epoch.
    token_check look(base::request_facts const& facts, std::int64_t now_us);
    // `seen` is unverified and becomes valid, invalid or absent.
    void verify(token_check& seen, std::int64_t now_us);

    // New keys of an issuer: tokens that were verified with the old ones are looked at again.
    void install(std::string const& issuer, auth::key_set_ptr keys);

private:
    void refuse(token_check& seen, auth::refusal why);
    void ask_for_keys(std::size_t issuer, std::int64_t now_us);

    auth::token_settings const& settings_;
    token_counts& counts_;
    unknown_key_call unknown_key_;
    std::vector<auth::key_set_ptr> keys_; // by issuer; null: none known
    std::vector<std::uint64_t> versions_; // by issuer: counts the sets that it has had
    std::vector<std::int64_t> asked_us_;  // by issuer: when a token last asked for keys
    auth::token_cache cache_;
};

} // namespace penstock::gateway
