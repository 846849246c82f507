#include "conf/check.hpp"

#include "base/credential_names.hpp"
#include "conf/caller_identity.hpp"
#include "conf/check_exactness.hpp"
#include "conf/check_value.hpp"
#include "conf/known_keys.hpp"
#include "conf/read.hpp"
#include "conf/read_algorithm.hpp"
#include "conf/scalar.hpp"
#include "conf/suggest.hpp"

#include <algorithm>
#include <map>

namespace penstock::conf {

namespace {

class tier_check {
public:
    tier_check(checked const& all, limit_outline const& limit, problem_list& problems)
        : all_(all), limit_(limit), problems_(problems), algorithm_(find_algorithm(*limit.source))
    {}

    void run()
    {
        for (auto const& one : limit_.overrides) check_quota(one);
        for (auto const& one : limit_.tiers) check_quota(one);
        callers();
        if (auto const* rule = limit_.source->find("from_attribute"); rule != nullptr && rule->is_map()) attribute(*rule);
    }

private:
    void check_quota(quota_outline const& other)
    {
        if (algorithm_ == nullptr || !other.source->is_map()) return;
        if (other.source->members.empty())
            problems_.error(other.at, other.path, "changes no number; write one, such as `" + first_key() + ": 100`");
        bool all_fit = true;
        for (auto const& m : other.source->members) all_fit = value_fits(m, other) && all_fit;
        if (!all_fit) return;
        if (auto problem = problem_with_exactness(*algorithm_, other.source)) {
            auto const* written = other.source->find(problem->key);
            problems_.error(written != nullptr ? written->at : other.at, other.path + '.' + problem->key,
                            std::move(problem->what));
        } else if (other.algorithm) {
            cost_fits(other);
        }
    }

    [[nodiscard]] std::string first_key() const { return algorithm_->key == "token_bucket" ? "capacity" : "limit"; }

    // Whether the limit's algorithm has such a number, and in these bounds. What no algorithm has was reported by check_shape.
    bool value_fits(member const& m, quota_outline const& other)
    {
        auto const* any = find_known("limits.*.overrides.*." + m.key);
        if (any == nullptr || !m.value.is_scalar()) return false;
        auto const section = "limits.*." + algorithm_->key;
        auto const path = other.path + '.' + m.key;
        auto const* own = find_known(section + '.' + m.key);
        if (own == nullptr) {
            problems_.error(m.key_at, path, "is no number of " + algorithm_->key + "; remove it");
            return false;
        }
        if (m.key == "window" && algorithm_->value.find("calendar") != nullptr) {
            problems_.error(m.key_at, path, "does not go with this limit's calendar; remove it");
            return false;
        }
        if (!problem_with_value(*any, m.value).empty()) return false;
        auto what = problem_with_value(*own, m.value);
        if (what.empty()) return true;
        problems_.error(m.value.at, path, std::move(what));
        return false;
    }

    void cost_fits(quota_outline const& other)
    {
        auto const burst = limiter::burst_of(*other.algorithm);
        if (limit_.policy.cost <= burst) return;
        problems_.error(other.at, other.path,
                        "admits " + std::to_string(burst) + " at once, less than the limit's cost of " +
                            std::to_string(limit_.policy.cost) + ", so no request could pass; raise it");
    }

    void callers()
    {
        if (!limit_.has_key) return;
        if (auto const what = problem_with_naming(limit_.policy.key, all_.read.api_keys.from); !what.empty()) {
            for (auto const& one : limit_.overrides) problems_.error(one.at, one.path, what);
            return;
        }
        if (!limit_.overrides.empty()) named_as_credentials();
        std::map<std::string, std::string> taken;
        partition::hash_secret const any{{}}; // only compared with each other
        for (auto const& one : limit_.overrides) {
            if (auto what = problem_with_caller(limit_.policy.key, one.name, issuers()); !what.empty()) {
                problems_.error(one.at, one.path, std::move(what));
                continue;
            }
            auto const [first, is_new] = taken.emplace(identity_of(limit_.policy.key, one.name, any), one.path);
            if (!is_new) problems_.error(one.at, one.path, "is the same caller as " + first->second + "; remove one of them");
        }
    }

    // An attribute's values stand in the document anyway. Of a claim named by a URL (`https://auth.example.com/tenant`) the last
    // segment says what it is.
    void named_as_credentials()
    {
        auto const is_named_so = [](partition::entry const& one) {
            auto const name = std::string_view{one.name}.substr(one.name.rfind('/') + 1);
            return one.source != partition::entry_source::api_key_attribute && base::is_credential_name(name);
        };
        auto const& key = limit_.policy.key;
        auto const found = std::find_if(key.begin(), key.end(), is_named_so);
        if (found == key.end()) return;
        problems_.warning(limit_.source->find_member("overrides")->key_at, limit_.path + ".overrides",
                          "'" + found->name +
                              "' in this limit's key is a credential by its name, and whoever reads this file "
                              "learns its values; if it is one, write the overrides in a limit by a claim or by an "
                              "attribute of the API key");
    }

    [[nodiscard]] std::vector<std::string> issuers() const
    {
        std::vector<std::string> names;
        if (!all_.read.tokens) return names;
        for (auto const& each : all_.read.tokens->issuers) names.push_back(each.name);
        return names;
    }

    void attribute(node const& rule)
    {
        auto const path = limit_.path + ".from_attribute";
        auto const* max = rule.find("max");
        if (max == nullptr && rule.find("tiers") == nullptr)
            problems_.error(rule.at, path, "has neither tiers nor max, so no attribute changes anything; add one of them");
        auto const most = parsed(max, parse_integer);
        if (most && limit_.has_algorithm && *most >= 1 && !limiter::with_limit(limit_.policy.quota.algorithm, *most))
            problems_.error(max->at, path + ".max", "cannot be kept exactly by this algorithm; lower it");
        if (most && *most < limit_.policy.cost)
            problems_.error(max->at, path + ".max", "is below the limit's cost, so no request could pass; raise it");
        if (!limit_.policy.from_attribute) return;
        auto const* known = all_.root.find("auth.api_keys.known");
        auto const* written = rule.find("attribute");
        if (limit_.policy.from_attribute->origin == limiter::attribute_origin::token) {
            if (all_.root.find("auth.jwt") == nullptr)
                problems_.error(written->at, path + ".attribute", "no token is ever verified; add auth.jwt.issuers");
            return;
        }
        if (known == nullptr) {
            problems_.error(written->at, path + ".attribute", "no API key is known; add auth.api_keys.known");
            return;
        }
        values(*known, *written, path);
    }

    // An attribute that nobody has, and values that mean nothing here, are hardly meant.
    void values(node const& known, node const& written, std::string const& path)
    {
        auto const& from = *limit_.policy.from_attribute;
        bool is_used = false;
        for (std::size_t i = 0; i < known.items.size(); ++i) {
            auto const attributes = "attributes." + from.attribute;
            auto const* value = known.items[i].find(attributes);
            if (value == nullptr) continue;
            is_used = true;
            auto const number = parsed(value, parse_integer);
            auto const is_tier = [&](quota_outline const& tier) { return tier.name == value->text; };
            if ((number && *number >= 1 && *number <= from.most) ||
                std::any_of(limit_.tiers.begin(), limit_.tiers.end(), is_tier))
                continue;
            problems_.warning(value->at, "auth.api_keys.known[" + std::to_string(i) + "]." + attributes,
                              "'" + value->written + "' as api_key." + from.attribute + " is neither a tier of limit '" +
                                  limit_.policy.name + "' nor a number up to its max, so that limit's own numbers hold; " +
                                  tiers_near(value->text));
        }
        if (!is_used) {
            problems_.warning(written.at, path + ".attribute",
                              "no known API key has the attribute '" + from.attribute + "'; add it to auth.api_keys.known");
        }
    }

    [[nodiscard]] std::string tiers_near(std::string_view value) const
    {
        std::vector<std::string_view> names;
        for (auto const& tier : limit_.tiers) names.push_back(tier.name);
        auto text = suggestion(value, names);
        return text.empty() ? "write a number" : text;
    }

    checked const& all_;
    limit_outline const& limit_;
    problem_list& problems_;
    member const* algorithm_;
};

} // namespace

void check_tiers(checked const& all, problem_list& problems)
{
    for (auto const& limit : all.parts.limits) {
        if (limit.source->is_map()) tier_check{all, limit, problems}.run();
    }
}

} // namespace penstock::conf
