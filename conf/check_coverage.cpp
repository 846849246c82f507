// What a caller can slip past: requests that no limit holds, keys that a caller makes up.
#include "conf/check.hpp"

#include "conf/key_language.hpp"
#include "conf/read.hpp"
#include "conf/restraint.hpp"
#include "conf/route_cover.hpp"

#include <algorithm>
#include <set>

namespace penstock::conf {

namespace {

class coverage_check {
public:
    coverage_check(checked const& all, problem_list& problems) : all_(all), problems_(problems) {}

    void run()
    {
        for (auto const& route : all_.parts.routes) {
            if (route.is_unlimited) continue;
            unlimited_requests(route);
            made_up_keys(route);
            for (auto const& term : route.own) unreachable(term);
            for (auto const& term : route.before_auth) unreachable(term);
        }
        for (auto const& term : all_.parts.global) unreachable(term);
        shared_secret();
    }

private:
    // An unknown limit has been reported; it may well be one that applies.
    [[nodiscard]] bool always_meets_one_of(term_outline const& term) const
    {
        return std::any_of(term.begin(), term.end(), [&](limit_reference const& reference) {
            auto const* limit = all_.parts.find_limit(reference.name);
            return limit == nullptr || always_applies(*limit);
        });
    }

    void unlimited_requests(route_outline const& route)
    {
        auto const* limits = route.source->find("limits");
        if (limits != nullptr && !limits->is_list()) return; // reported
        auto const at = limits != nullptr ? limits->at : route.at;
        auto const path = limits != nullptr ? route.path + ".limits" : route.path;
        auto const terms = all_.parts.terms_of(route);
        if (terms.empty()) {
            problems_.warning(at, path,
                              "requests on this route meet no limit; name limits, or write `limits: none` if that is meant");
        } else if (std::none_of(terms.begin(), terms.end(), [&](auto const& term) { return always_meets_one_of(term); })) {
            problems_.warning(at, path,
                              "a request without the keys of these limits meets no limit at all; add one by client.ip, or "
                              "set on_missing_key: reject");
        } else if (std::none_of(terms.begin(), terms.end(), [&](auto const& term) { return refuses_somebody(term); })) {
            problems_.warning(
                at, path,
                "the limits that every request meets here are in shadow or exempt everybody, so none is ever refused; "
                "write enforce: true in one of them once its numbers are right");
        }
    }

    [[nodiscard]] bool refuses_somebody(term_outline const& term) const
    {
        auto const limits = reachable(all_.parts, term);
        return std::any_of(limits.begin(), limits.end(), [](auto const* limit) {
            return limit == nullptr || (always_applies(*limit) && !exempts_everybody(*limit) &&
                                        limit->policy.enforce == limiter::enforcement::enforce);
        });
    }

    [[nodiscard]] bool has_made_up(limit_outline const& limit, route_outline const& route) const
    {
        settled const by_route{.api_key = all_.read.api_keys.known != nullptr,
                               .host = has_one_host(route.route),
                               .path = has_one_path(route.route),
                               .method = !route.route.methods.empty()};
        auto const& key = limit.policy.key;
        return std::any_of(key.begin(), key.end(), [&](auto const& entry) { return is_made_up(entry, by_route); });
    }

    // Whom somebody else's requests can be counted with.
    [[nodiscard]] static bool is_shared(limit_outline const& limit)
    {
        auto const& key = limit.policy.key;
        return std::none_of(key.begin(), key.end(), tells_callers_apart);
    }

    // Whoever chooses the key of a limit freely, or has the key of none, is held by no limit of the term.
    [[nodiscard]] bool holds_everybody(term_outline const& term, route_outline const& route) const
    {
        auto const limits = reachable(all_.parts, term);
        if (!std::all_of(limits.begin(), limits.end(), is_readable)) return true; // reported
        return std::any_of(limits.begin(), limits.end(), [](auto const* limit) { return always_applies(*limit); }) &&
               std::all_of(limits.begin(), limits.end(),
                           [&](auto const* limit) { return !has_made_up(*limit, route) && holds_back(*limit); });
    }

    // Likewise, and nobody uses up what others need.
    [[nodiscard]] bool holds_each_by_itself(term_outline const& term, route_outline const& route) const
    {
        auto const limits = reachable(all_.parts, term);
        if (!std::all_of(limits.begin(), limits.end(), is_readable)) return true; // reported
        return holds_everybody(term, route) &&
               std::none_of(limits.begin(), limits.end(), [](auto const* limit) { return is_shared(*limit); });
    }

    void made_up_keys(route_outline const& route)
    {
        auto const terms = all_.parts.terms_of(route);
        auto const any = [&](auto holds) { return std::any_of(terms.begin(), terms.end(), holds); };
        if (any([&](auto const& term) { return holds_each_by_itself(term, route); })) return;
        auto const are_shared = any([&](auto const& term) { return holds_everybody(term, route); });
        for (auto const& term : terms) {
            for (auto const* limit : reachable(all_.parts, term)) {
                if (is_readable(limit)) warn_of_made_up_key(*limit, route, are_shared);
            }
        }
    }

    void warn_of_made_up_key(limit_outline const& limit, route_outline const& route, bool are_shared)
    {
        if (!has_made_up(limit, route) || !warned_.insert(limit.policy.name).second) return;
        auto const what = are_shared ? " shares its only limit on " + route.path + " with everybody, and can use it up"
                                     : " is not limited on " + route.path;
        problems_.warning(limit.source->find("key")->at, limit.path + ".key",
                          "nothing verifies this key: a caller that makes up a new one with each request" + what +
                              " (AK-6); add a rate limit by client.ip alone to that route");
    }

    // Behind a limit whose key every request has, the others of first_of are never looked at. One that rejects or shares where the
    // key is missing does so only when none of the others has its key either.
    void unreachable(term_outline const& term)
    {
        for (std::size_t i = 0; i + 1 < term.size(); ++i) {
            auto const* limit = all_.parts.find_limit(term[i].name);
            if (limit == nullptr || !limit->has_key || may_be_absent(*limit)) continue;
            if (!reported_.insert(term[i + 1].path).second) return;
            problems_.warning(term[i + 1].at, term[i + 1].path,
                              "is never used: every request has the key of '" + term[i].name +
                                  "' before it; put that one last");
            return;
        }
    }

    void shared_secret()
    {
        auto const* redis = all_.root.find("redis");
        if (redis == nullptr || redis->find("hash_secret_file") != nullptr) return;
        auto const* secret = redis->find("hash_secret");
        if (secret != nullptr && !text_of(secret).empty()) return;
        auto const& limits = all_.parts.limits;
        bool const hashes = std::any_of(limits.begin(), limits.end(), [](limit_outline const& limit) {
            auto const& key = limit.policy.key;
            return std::any_of(key.begin(), key.end(), partition::is_hidden) &&
                   text_of(limit.source->find("scope")) != "instance";
        });
        if (!hashes) return;
        problems_.warning(
            all_.root.find_member("redis")->key_at, "redis",
            "without hash_secret, who can read the keys in Redis can test guesses of API keys, cookies and all else that is "
            "hashed against them; set hash_secret or hash_secret_file, the same on every gateway");
    }

    checked const& all_;
    problem_list& problems_;
    std::set<std::string> warned_;
    std::set<std::string> reported_;
};

} // namespace

void check_coverage(checked const& all, problem_list& problems) { coverage_check{all, problems}.run(); }

} // namespace penstock::conf
