#include "limiter/classify.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <optional>

namespace penstock::limiter {
namespace {

using digest = std::array<std::uint8_t, 32>; // SHA-256

// The counter of all requests that lack a limit's key. No identity is spelled like it: each begins with the name of what
// it was made of, and nothing is called `none`.
constexpr std::string_view shared_identity = "{none}";

// Whom a request belongs to, asked about limit after limit; the API key is digested only if some limit exempts keys.
class caller {
public:
    explicit caller(base::request_facts const& facts) noexcept : facts_(facts) {}

    [[nodiscard]] bool exempt_from(policy const& limit) noexcept
    {
        auto const in = [this](base::ip_network const& network) { return network.contains(*facts_.client); };
        if (facts_.client && std::any_of(limit.exempt_networks.begin(), limit.exempt_networks.end(), in)) return true;
        if (facts_.api_key.empty() || limit.exempt_key_digests.empty()) return false;
        auto const& exempt = limit.exempt_key_digests;
        return std::find(exempt.begin(), exempt.end(), key_digest()) != exempt.end();
    }

private:
    digest const& key_digest() noexcept
    {
        if (!key_digest_) {
            auto& bytes = key_digest_.emplace();
            // It fails only where OpenSSL has no SHA-256; then nobody is exempt.
            EVP_Digest(facts_.api_key.data(), facts_.api_key.size(), bytes.data(), nullptr, EVP_sha256(), nullptr);
        }
        return *key_digest_;
    }

    base::request_facts const& facts_;
    std::optional<digest> key_digest_;
};

bool append_key(partition::partition_key& key, policy const& limit, base::request_facts const& facts,
                key_settings const& keys) noexcept
{
    key.append(keys.prefix);
    if (!partition::append_identity(key, limit.key, facts, keys.secret)) return false;
    key.append(limit.key_suffix);
    return true;
}

// One request on its way through a plan's terms.
class classification {
public:
    classification(plan const& limits, base::request_facts const& facts, key_settings const& keys, classified& result) noexcept
        : plan_(limits), facts_(facts), keys_(keys), caller_(facts), result_(result)
    {}

    // The first limit whose key the request has; where it has none, the first that says what that means.
    void meet(term const& one) noexcept
    {
        for (auto const* limit : one.first_of) {
            if (claim_own(*limit)) return;
        }
        for (auto const* limit : one.first_of) {
            if (limit->on_missing_key != missing_key::skip) return meet_without_key(*limit);
        }
    }

private:
    // False if the request lacks the limit's key.
    bool claim_own(policy const& limit) noexcept
    {
        if (auto* met = met_before(limit)) {
            met->cost += cost_of(limit);
            return true;
        }
        auto& added = result_.claims.emplace_back();
        auto const has_key = append_key(added.key, limit, facts_, keys_);
        if (!has_key || caller_.exempt_from(limit)) {
            result_.claims.pop_back();
            return has_key;
        }
        added.policy = &limit;
        added.cost = cost_of(limit);
        return true;
    }

    void meet_without_key(policy const& limit) noexcept
    {
        if (caller_.exempt_from(limit)) return;
        if (limit.on_missing_key == missing_key::reject) {
            if (!result_.missing_key) result_.missing_key = &limit;
            return;
        }
        auto& added = result_.claims.emplace_back();
        added.policy = &limit;
        added.cost = cost_of(limit);
        added.key.append(keys_.prefix);
        added.key.append(shared_identity);
        added.key.append(limit.key_suffix);
    }

    // Two claims of a request must not share a key: a limit met twice is one claim with both costs.
    claim* met_before(policy const& limit) noexcept
    {
        auto const same = [&limit](claim const& each) { return each.policy == &limit; };
        auto const met = std::find_if(result_.claims.begin(), result_.claims.end(), same);
        return met == result_.claims.end() ? nullptr : &*met;
    }

    [[nodiscard]] std::int64_t cost_of(policy const& limit) const noexcept { return plan_.cost.value_or(limit.cost); }

    plan const& plan_;
    base::request_facts const& facts_;
    key_settings const& keys_;
    caller caller_;
    classified& result_;
};

} // namespace

classified classify(plan const& limits, base::request_facts const& facts, key_settings const& keys) noexcept
{
    classified result;
    classification request{limits, facts, keys, result};
    for (auto const& one : limits.terms) request.meet(one);
    return result;
}

} // namespace penstock::limiter
