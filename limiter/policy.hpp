// One compiled limit: what is counted, how, for whom not, and what happens when the store cannot answer. Immutable, owned
// by the snapshot; every exchange that uses one keeps its snapshot alive. Pure value.
#pragma once

#include "base/strong.hpp"
#include "limiter/algorithm.hpp"
#include "partition/digest_table.hpp"
#include "partition/network_set.hpp"
#include "partition/partition_key.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace penstock::limiter {

using policy_id = base::strong<struct policy_tag>; // index into snapshot::policies

enum class failure_mode : std::uint8_t { local, allow, deny }; // what an unanswered limiter means
enum class enforcement : std::uint8_t { enforce, shadow };     // shadow: evaluate and count, never refuse
enum class scope : std::uint8_t { fleet, instance };           // fleet: counted in Redis, by all gateways together
enum class missing_key : std::uint8_t { skip, reject, share }; // the request lacks the limit's key
enum class advertisement : std::uint8_t { shown, hidden };     // hidden: in no field or body a client sees (RL-24)

enum class precision : std::uint8_t { exact, leased }; // leased: a busy key's permits are taken in advance
enum class queue_order : std::uint8_t { oldest_first, newest_first };

// The numbers that a caller is held to: the limit's own, or those of an override or a tier.
struct quota {
    limiter::algorithm algorithm;
    std::string key_suffix;                 // ":" + limit name + ":" + tag_of(algorithm): what follows the identity in a key
    std::vector<limiter::algorithm> shards; // of a sharded limit: each shard's part of `algorithm`; else empty
};

struct text_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
};

// Requests that wait for their permit instead of being refused, of one key in this process.
struct queue_settings {
    std::int64_t limit = 0; // permits that may be waited for; 0: nobody waits
    queue_order order = queue_order::oldest_first;
    base::micros timeout{0};
};

// A request's cost as a field says it; believed only from a trusted peer.
struct cost_field {
    std::string name;      // lower case
    std::int64_t most = 1; // what says more counts as this; what is no whole number >= 1 as absent
};

// Numbers that a verified credential brings along: an attribute's value is a tier's name, or itself the limit (for a bucket
// the capacity, with the refill in proportion) up to `most`. Anything else: the limit's own numbers.
enum class attribute_origin : std::uint8_t { api_key, token };
struct attribute_quota {
    attribute_origin origin = attribute_origin::api_key;
    std::string attribute; // of a known API key, or the path of a verified token's claim
    std::int64_t most = 0; // 0: only tiers
    std::vector<std::pair<std::string, quota>> tiers;
};

struct policy {
    policy_id id;
    std::string name; // [A-Za-z0-9._-]{1,64}, unique (RL-9)
    partition::descriptor key;
    limiter::quota quota;
    std::unordered_map<std::string, limiter::quota, text_hash, std::equal_to<>>
        overrides; // by identity, as append_identity() writes it
    std::optional<attribute_quota> from_attribute;
    std::uint32_t packed_id = 0; // not 0: shares a Redis key with other limits of the same callers, where this names it
    std::int64_t cost = 1;       // charged unless the route or a trusted field says otherwise
    std::optional<cost_field> cost_from;
    queue_settings queue;
    limiter::precision precision = limiter::precision::exact;
    failure_mode on_store_failure = failure_mode::local;
    enforcement enforce = enforcement::enforce;
    limiter::scope scope = limiter::scope::instance;
    missing_key on_missing_key = missing_key::skip;
    advertisement advertise = advertisement::shown;
    partition::network_set exempt_addresses; // of clients that this limit does not meet
    partition::digest_table exempt_api_keys; // that it does not meet
};

} // namespace penstock::limiter
