#include "conf/check.hpp"

#include "conf/failed_attempts.hpp"
#include "conf/key_language.hpp"
#include "conf/read.hpp"
#include "conf/route_cover.hpp"

#include <algorithm>
#include <set>

namespace penstock::conf {

namespace {

bool may_be_absent(limit_outline const& limit)
{
    auto const& key = limit.policy.key;
    return std::any_of(key.begin(), key.end(), is_optional);
}

// Every request has this limit's key, or is counted or refused without it.
bool always_applies(limit_outline const& limit)
{
    return !limit.has_key || !may_be_absent(limit) || limit.policy.on_missing_key != limiter::missing_key::skip;
}

class coverage_check {
public:
    coverage_check(checked const& all, problem_list& problems) : all_(all), problems_(problems) {}

    void run()
    {
        for (auto const& route : all_.parts.routes) {
            if (route.is_unlimited) continue;
            unlimited_requests(route);
            made_up_keys(route);
            uncounted_attempts(route);
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
        }
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

    // The limits of a term that a request can be counted by: up to the first whose key every request has. An unknown limit has
    // been reported; it ends them, too.
    [[nodiscard]] std::vector<limit_outline const*> reachable(term_outline const& term) const
    {
        std::vector<limit_outline const*> limits;
        for (auto const& reference : term) {
            limits.push_back(all_.parts.find_limit(reference.name));
            if (limits.back() == nullptr || !limits.back()->has_key || !may_be_absent(*limits.back())) break;
        }
        return limits;
    }

    // Whoever chooses the key of a limit freely, or has the key of none, is held by no limit of the term.
    [[nodiscard]] bool holds_everybody(term_outline const& term, route_outline const& route) const
    {
        auto const limits = reachable(term);
        auto const is_unreadable = [](auto const* limit) { return limit == nullptr || !limit->has_key; };
        if (std::any_of(limits.begin(), limits.end(), is_unreadable)) return true; // reported
        return std::any_of(limits.begin(), limits.end(), [](auto const* limit) { return always_applies(*limit); }) &&
               std::all_of(limits.begin(), limits.end(), [&](auto const* limit) {
                   return !has_made_up(*limit, route) && limit->policy.enforce == limiter::enforcement::enforce;
               });
    }

    void made_up_keys(route_outline const& route)
    {
        auto const terms = all_.parts.terms_of(route);
        if (std::any_of(terms.begin(), terms.end(), [&](auto const& term) { return holds_everybody(term, route); })) return;
        for (auto const& term : terms) {
            for (auto const* limit : reachable(term)) warn_of_made_up_key(*limit, route);
        }
    }

    void warn_of_made_up_key(limit_outline const& limit, route_outline const& route)
    {
        if (!has_made_up(limit, route) || !warned_.insert(limit.policy.name).second) return;
        problems_.warning(limit.source->find("key")->at, limit.path + ".key",
                          "nothing verifies this key: a caller that makes up a new one with each request is not limited on " +
                              route.path + " (AK-6); add a limit by client.ip alone to that route");
    }

    // What is tried where credentials can be wrong; empty if nothing of the kind is refused.
    [[nodiscard]] std::string_view what_is_tried() const
    {
        auto const& keys = all_.read.api_keys;
        auto const& tokens = all_.read.tokens;
        bool const refuses_keys = keys.known && keys.on_unknown == unknown_key::reject;
        bool const refuses_tokens = tokens && tokens->on_invalid == auth::invalid_token::reject;
        if (refuses_keys && refuses_tokens) return "API keys and tokens";
        return refuses_keys ? "API keys" : refuses_tokens ? "tokens" : "";
    }

    // Where credentials can be wrong, somebody will try them. An unknown limit has been reported.
    void uncounted_attempts(route_outline const& route)
    {
        auto const tried = what_is_tried();
        if (tried.empty()) return;
        auto const terms = route.before_auth.empty() ? all_.parts.terms_of(route) : route.before_auth;
        auto const counts = [&](limit_reference const& reference) {
            auto const* limit = all_.parts.find_limit(reference.name);
            return limit == nullptr || !limit->has_key || !limit->has_algorithm || counts_attempts(limit->policy, route.route);
        };
        auto const any_counts = [&](term_outline const& term) { return std::any_of(term.begin(), term.end(), counts); };
        if (terms.empty() || std::any_of(terms.begin(), terms.end(), any_counts)) return;
        problems_.warning(route.at, route.path,
                          "whoever tries " + std::string(tried) +
                              " on this route is counted by no limit (AK-40); add one by client.ip to its before_auth");
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
            "without hash_secret, who can read the keys in Redis can test guesses of API keys and cookies against "
            "them; set hash_secret or hash_secret_file, the same on every gateway");
    }

    checked const& all_;
    problem_list& problems_;
    std::set<std::string> warned_;
    std::set<std::string> reported_;
};

} // namespace

void check_coverage(checked const& all, problem_list& problems) { coverage_check{all, problems}.run(); }

} // namespace penstock::conf
