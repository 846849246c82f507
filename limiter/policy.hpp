// One compiled limit: what is counted, how, for whom not, and what happens when the store cannot answer. Immutable, owned
// by the snapshot; every exchange that uses one keeps its snapshot alive. Pure value.
#pragma once

#include "base/ip_address.hpp"
#include "base/strong.hpp"
#include "limiter/algorithm.hpp"
#include "partition/partition_key.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace penstock::limiter {

using policy_id = base::strong<struct policy_tag>; // index into snapshot::policies

enum class failure_mode : std::uint8_t { local, allow, deny }; // what an unanswered limiter means
enum class enforcement : std::uint8_t { enforce, shadow };     // shadow: evaluate and count, never refuse
enum class scope : std::uint8_t { fleet, instance };           // fleet: counted in Redis, by all gateways together
enum class missing_key : std::uint8_t { skip, reject, share }; // the request lacks the limit's key
enum class advertisement : std::uint8_t { shown, hidden };     // hidden: in no field or body a client sees (RL-24)

struct policy {
    policy_id id;
    std::string name; // [A-Za-z0-9._-]{1,64}, unique (RL-9)
    partition::descriptor key;
    std::string key_suffix; // ":" + name + ":" + tag_of(algorithm): what follows the identity in a partition key
    limiter::algorithm algorithm;
    std::int64_t cost = 1; // charged unless the route says otherwise
    failure_mode on_store_failure = failure_mode::local;
    enforcement enforce = enforcement::enforce;
    limiter::scope scope = limiter::scope::instance;
    missing_key on_missing_key = missing_key::skip;
    advertisement advertise = advertisement::shown;
    std::vector<base::ip_network> exempt_networks;                // client addresses that this limit does not meet
    std::vector<std::array<std::uint8_t, 32>> exempt_key_digests; // SHA-256 of API keys that it does not meet
};

} // namespace penstock::limiter
