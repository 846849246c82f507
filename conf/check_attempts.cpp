// What trying credentials costs whoever tries them (AK-36, AK-40, AK-44).
#include "conf/check.hpp"

#include "conf/failed_attempts.hpp"
#include "conf/restraint.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace penstock::conf {

namespace {

std::string no_limit(std::string const& fault) { return fault + "; add a rate limit by client.ip to its before_auth"; }

std::string told_apart(std::string const& how)
{
    return how + ", so that guesses can go on (AK-44); add a rate limit by client.ip, the same for every API key, to its "
                 "before_auth";
}

class attempts_check {
public:
    attempts_check(checked const& all, problem_list& problems) : all_(all), problems_(problems)
    {
        auto const& keys = all.read.api_keys;
        refuses_keys_ = keys.known && keys.on_unknown == unknown_key::reject;
        refuses_tokens_ = all.read.tokens && all.read.tokens->on_invalid == auth::invalid_token::reject;
    }

    // One warning a route: they all say to add a limit to its before_auth.
    void look_at(route_outline const& route)
    {
        if (route.is_unlimited || all_.parts.terms_of(route).empty()) return; // nothing is tried there, and no limit is met
        auto what = fault_of(route);
        if (!what.empty()) problems_.warning(route.at, route.path, std::move(what));
    }

private:
    [[nodiscard]] std::string fault_of(route_outline const& route) const
    {
        if ((refuses_keys_ || refuses_tokens_) && !counts_failures(route))
            return no_limit("whoever tries " + what_is_tried() + " on this route is held back by no limit (AK-40)");
        auto what = fault_with_keys(route);
        return what.empty() && all_.read.tokens ? fault_with_tokens(route) : what;
    }

    [[nodiscard]] std::string fault_with_keys(route_outline const& route) const
    {
        if (refuses_keys_) {
            if (counts_all_alike(counting_failures(route), route)) return {};
            return told_apart("once the limit on failed attempts refuses a caller here, a wrong API key is a 429 and a good "
                              "one is not");
        }
        if (all_.read.api_keys.from.empty() || !tells_keys_apart(route) || counts_all_alike(all_.parts.terms_of(route), route))
            return {};
        if (all_.read.api_keys.known)
            return told_apart("a known API key meets other limits here than a made-up one, which answers tell, and no limit "
                              "counts both");
        return told_apart("an API key that a limit exempts is answered otherwise here than a made-up one, and no limit counts "
                          "both");
    }

    [[nodiscard]] std::string fault_with_tokens(route_outline const& route) const
    {
        if (route.before_auth.empty()) {
            if (asks_attempts_first(route)) return {};
            return no_limit("signatures of tokens are verified on this route before any limit is asked (AK-36)");
        }
        // Where tokens that are no good count as none, the limits behind it may well hold everybody, and come too late.
        if (counts_everybody(route.before_auth, route)) return {};
        return no_limit("no limit holds back whoever sends tokens on this route before their signatures are verified (AK-36)");
    }

    [[nodiscard]] std::string what_is_tried() const
    {
        if (refuses_keys_ && refuses_tokens_) return "API keys and tokens";
        return refuses_keys_ ? "API keys" : "tokens";
    }

    [[nodiscard]] static bool counts(limit_outline const* limit, route_outline const& route)
    {
        return !is_readable(limit) || (counts_attempts(limit->policy, route.route) && holds_back(*limit));
    }

    // Whether an answer of the limit depends on which key a request has. Where none is known, a counter of its own tells nothing of
    // a key, since a made-up one has that, too.
    [[nodiscard]] bool tells_keys_apart(limit_outline const& limit) const
    {
        auto const& policy = limit.policy;
        if (!all_.read.api_keys.known) return !policy.exempt_api_keys.empty();
        auto const is_of_key = [](partition::entry const& what) {
            return what.source == partition::entry_source::api_key || what.source == partition::entry_source::api_key_attribute;
        };
        return std::any_of(policy.key.begin(), policy.key.end(), is_of_key) || !policy.exempt_api_keys.empty() ||
               (policy.from_attribute && policy.from_attribute->origin == limiter::attribute_origin::api_key);
    }

    [[nodiscard]] bool tells_keys_apart(route_outline const& route) const
    {
        auto const terms = all_.parts.terms_of(route);
        return std::any_of(terms.begin(), terms.end(), [&](term_outline const& term) {
            auto const limits = reachable(all_.parts, term);
            return std::any_of(limits.begin(), limits.end(),
                               [&](auto const* limit) { return is_readable(limit) && tells_keys_apart(*limit); });
        });
    }

    // Whatever the request holds, one of these terms holds back its caller.
    [[nodiscard]] bool counts_everybody(std::vector<term_outline> const& terms, route_outline const& route) const
    {
        return std::any_of(terms.begin(), terms.end(), [&](term_outline const& term) {
            auto const limits = reachable(all_.parts, term);
            return std::all_of(limits.begin(), limits.end(), [&](auto const* limit) { return counts(limit, route); });
        });
    }

    // Likewise, and by the same numbers for every API key.
    [[nodiscard]] bool counts_all_alike(std::vector<term_outline> const& terms, route_outline const& route) const
    {
        return std::any_of(terms.begin(), terms.end(), [&](term_outline const& term) {
            auto const limits = reachable(all_.parts, term);
            return std::all_of(limits.begin(), limits.end(), [&](auto const* limit) {
                return counts(limit, route) && (!is_readable(limit) || !tells_keys_apart(*limit));
            });
        });
    }

    [[nodiscard]] std::vector<term_outline> counting_failures(route_outline const& route) const
    {
        return route.before_auth.empty() ? all_.parts.terms_of(route) : route.before_auth;
    }

    // Without before_auth a failed attempt passes over the limits that do not count it, as failed_attempts_of() does. Those that
    // do have keys that every request has, so that it is charged to the first.
    [[nodiscard]] bool counts_failures(route_outline const& route) const
    {
        if (!route.before_auth.empty()) return counts_everybody(route.before_auth, route);
        auto const terms = all_.parts.terms_of(route);
        return std::any_of(terms.begin(), terms.end(), [&](term_outline const& term) {
            auto const first = std::find_if(term.begin(), term.end(), [&](limit_reference const& each) {
                auto const* limit = all_.parts.find_limit(each.name);
                return !is_readable(limit) || counts_attempts(limit->policy, route.route);
            });
            return first != term.end() && counts(all_.parts.find_limit(first->name), route);
        });
    }

    [[nodiscard]] bool asks_attempts_first(route_outline const& route) const
    {
        std::vector<limiter::term> terms;
        for (auto const& term : all_.parts.terms_of(route)) {
            auto& made = terms.emplace_back();
            for (auto const& reference : term) {
                auto const* limit = all_.parts.find_limit(reference.name);
                if (!is_readable(limit)) return true; // reported
                made.first_of.push_back(&limit->policy);
            }
        }
        return can_ask_attempts_first(terms, route.route) && counts_everybody(all_.parts.terms_of(route), route);
    }

    checked const& all_;
    problem_list& problems_;
    bool refuses_keys_ = false; // that are not known
    bool refuses_tokens_ = false;
};

} // namespace

void check_attempts(checked const& all, problem_list& problems)
{
    attempts_check check{all, problems};
    for (auto const& route : all.parts.routes) check.look_at(route);
}

} // namespace penstock::conf
