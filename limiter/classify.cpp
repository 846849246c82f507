#include "limiter/classify.hpp"

#include "base/field_name.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace penstock::limiter {
namespace {

// The counter of all requests that lack a limit's key. No identity is spelled like it: each begins with the name of what
// it was made of, and nothing is called `none`.
constexpr std::string_view shared_identity = "{none}";

// Whom a request belongs to, asked about limit after limit; the API key is digested only if some limit exempts keys.
class caller {
public:
    explicit caller(base::request_facts const& facts) noexcept : facts_(facts) {}

    [[nodiscard]] bool exempt_from(policy const& limit) noexcept
    {
        if (facts_.client && limit.exempt_addresses.contains(*facts_.client)) return true;
        if (facts_.api_key.empty() || limit.exempt_api_keys.empty()) return false;
        if (!key_digest_) key_digest_ = partition::digest_of(facts_.api_key);
        return limit.exempt_api_keys.contains(*key_digest_);
    }

private:
    base::request_facts const& facts_;
    std::optional<partition::sha256_digest> key_digest_;
};

// `value` of an attribute or a field, as a whole number from 0 to `most`.
std::optional<std::int64_t> number_in(std::string_view value, std::int64_t most) noexcept
{
    std::int64_t number = 0;
    auto const* end = value.data() + value.size();
    auto const read = std::from_chars(value.data(), end, number);
    if (read.ec != std::errc{} || read.ptr != end || number < 0 || number > most) return std::nullopt;
    return number;
}

// Two digits before the closing brace: inside the hash tag, so that the shards of a key spread over a cluster's slots.
void write_shard(claim& sharded) noexcept
{
    std::array<char, 2> const digits{static_cast<char>('0' + sharded.shard / 10), static_cast<char>('0' + sharded.shard % 10)};
    sharded.key.overwrite(sharded.identity_end - std::size_t{1} - digits.size(), {digits.data(), digits.size()});
}

void choose_shard(claim& sharded, unsigned shard) noexcept
{
    sharded.shard = static_cast<std::uint8_t>(shard);
    sharded.numbers = &sharded.policy->quota.shards[shard];
    write_shard(sharded);
}

// One request on its way through a plan's terms.
class classification {
public:
    classification(plan const& limits, base::request_facts const& facts, key_settings const& keys, std::uint32_t turn,
                   classified& result, partition::digest_cache* lately) noexcept
        : plan_(limits),
          facts_(facts),
          keys_(keys),
          turn_(turn),
          caller_(facts),
          result_(result),
          lately_(lately),
          earlier_(result.claims.size())
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
        auto& added = add();
        added.key.append(keys_.prefix);
        auto const has_key = partition::append_identity(added.key, limit.key, facts_, keys_.secret, lately_);
        if (!has_key || caller_.exempt_from(limit)) {
            result_.claims.pop_back();
            return has_key;
        }
        complete(added, limit);
        return true;
    }

    void meet_without_key(policy const& limit) noexcept
    {
        if (caller_.exempt_from(limit)) return;
        if (limit.on_missing_key == missing_key::reject) {
            if (!result_.missing_key) result_.missing_key = &limit;
            return;
        }
        auto& added = add();
        added.key.append(keys_.prefix);
        added.key.append(shared_identity);
        complete(added, limit);
    }

    // emplace_back() would fill the bytes of the key with zeros first.
    claim& add() noexcept
    {
        result_.claims.resize(result_.claims.size() + 1, boost::container::default_init);
        return result_.claims.back();
    }

    // `added.key` ends with the identity.
    void complete(claim& added, policy const& limit) noexcept
    {
        added.policy = &limit;
        added.cost = cost_of(limit);
        auto const* quota = quota_of(limit, added);
        auto const shards = static_cast<std::uint32_t>(quota->shards.size());
        if (shards != 0) {
            added.key.truncate(added.key.view().size() - 1);
            added.key.append("#00}");
        }
        added.identity_end = static_cast<std::uint8_t>(added.key.view().size());
        if (shards != 0) choose_shard(added, turn_ % shards);
        added.key.append(quota->key_suffix);
        if (limit.queue.limit > 0) result_.may_wait = true;
    }

    // An override for this caller, else what its credential brings along, else the limit's own numbers.
    quota const* quota_of(policy const& limit, claim& added) noexcept
    {
        if (!limit.overrides.empty()) {
            auto const found = limit.overrides.find(added.key.view().substr(keys_.prefix.size()));
            if (found != limit.overrides.end()) return hold_to(found->second, added);
        }
        if (!limit.from_attribute) return &limit.quota;
        auto const& rule = *limit.from_attribute;
        auto const named = [&rule](base::field const& each) { return each.name == rule.attribute; };
        auto const& attributes = rule.origin == attribute_origin::token ? facts_.token_claims : facts_.api_key_attributes;
        auto const found = std::find_if(attributes.begin(), attributes.end(), named);
        if (found == attributes.end()) return &limit.quota;
        for (auto const& [name, tier] : rule.tiers) {
            if (name == found->value) return hold_to(tier, added);
        }
        auto const number = number_in(found->value, rule.most);
        auto const numbers = number && *number > 0 ? with_limit(limit.quota.algorithm, *number) : std::nullopt;
        if (numbers) added.numbers = &result_.made_numbers.emplace_back(*numbers);
        return &limit.quota;
    }

    static quota const* hold_to(quota const& other, claim& added) noexcept
    {
        added.numbers = &other.algorithm;
        return &other;
    }

    // Two claims of a request must not share a key: a limit met twice is one claim with both costs.
    claim* met_before(policy const& limit) noexcept
    {
        auto const same = [&limit](claim const& each) { return each.policy == &limit; };
        auto const met =
            std::find_if(result_.claims.begin() + static_cast<std::ptrdiff_t>(earlier_), result_.claims.end(), same);
        return met == result_.claims.end() ? nullptr : &*met;
    }

    [[nodiscard]] std::int64_t cost_of(policy const& limit) const noexcept
    {
        // One request holds one permit, whatever it costs elsewhere.
        if (std::holds_alternative<concurrency>(limit.quota.algorithm)) return limit.cost;
        auto const& field = plan_.cost_from ? plan_.cost_from : limit.cost_from;
        if (field && facts_.from_trusted_peer) {
            if (auto const told = told_cost(*field)) return *told;
        }
        return plan_.cost.value_or(limit.cost);
    }

    // The highest that is said, and what is above the most there may be counts as that: nobody pays less for asking for more.
    // 0 says nothing: a proxy may pass on what its client sent, and who pays nothing meets no limit.
    [[nodiscard]] std::optional<std::int64_t> told_cost(cost_field const& field) const noexcept
    {
        std::optional<std::int64_t> highest;
        for (auto const& each : facts_.fields) {
            if (!base::is_field(each.name, field.name) ||
                each.value.find_first_not_of("0123456789") != std::string_view::npos || each.value.empty())
                continue;
            auto const told = number_in(each.value, field.most).value_or(field.most);
            if (told > 0) highest = std::max(highest.value_or(0), told);
        }
        return highest;
    }

    plan const& plan_;
    base::request_facts const& facts_;
    key_settings const& keys_;
    std::uint32_t turn_;
    caller caller_;
    classified& result_;
    partition::digest_cache* lately_;
    std::size_t earlier_; // so many claims are those of earlier stages, which have been charged
};

} // namespace

void classified::clear() noexcept
{
    claims.clear();
    missing_key = nullptr;
    made_numbers.clear();
    may_wait = false;
}

void classify(plan_part const& limits, base::request_facts const& facts, key_settings const& keys, std::uint32_t turn,
              classified& into, partition::digest_cache* lately) noexcept
{
    into.clear();
    classify_further(limits, facts, keys, turn, into, lately);
}

void classify_further(plan_part const& limits, base::request_facts const& facts, key_settings const& keys, std::uint32_t turn,
                      classified& into, partition::digest_cache* lately) noexcept
{
    into.may_wait = false;
    into.missing_key = nullptr;
    classification request{*limits.of, facts, keys, turn, into, lately};
    for (auto const& one : limits.terms) request.meet(one);
}

void move_to_next_shard(claim& sharded) noexcept
{
    choose_shard(sharded, (sharded.shard + 1U) % static_cast<unsigned>(sharded.policy->quota.shards.size()));
}

} // namespace penstock::limiter
