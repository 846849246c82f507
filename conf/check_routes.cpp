#include "conf/check.hpp"

#include "conf/key_language.hpp"
#include "conf/read.hpp"
#include "conf/route_cover.hpp"
#include "conf/suggest.hpp"
#include "limiter/claim.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace penstock::conf {

namespace {

using partition::entry_source;

class route_check {
public:
    route_check(checked const& all, problem_list& problems) : all_(all), problems_(problems)
    {
        for (auto const& limit : all.parts.limits) limits_.push_back(limit.policy.name);
        if (auto const* upstreams = all.root.find("upstreams"); upstreams != nullptr) {
            for (auto const& upstream : upstreams->members) upstreams_.push_back(upstream.key);
        }
    }

    void run()
    {
        for (auto const& term : all_.parts.global) known_limits(term);
        for (auto const& route : all_.parts.routes) {
            for (auto const& term : route.before_auth) known_limits(term);
            for (auto const& term : route.own) known_limits(term);
            known_upstream(route);
            unlimited(route);
            terms(route);
            if (auto const* cost = route.source->find("cost")) check_cost_field(all_, *cost, route.path, problems_);
        }
        names();
        covered();
        unused();
    }

private:
    void known_limits(term_outline const& term)
    {
        for (auto const& reference : term) {
            used_limits_.insert(reference.name);
            if (all_.parts.find_limit(reference.name) != nullptr || !is_readable("limits")) continue;
            problems_.error(reference.at, reference.path,
                            "there is no limit '" + reference.name + "'; " +
                                suggestion_among(reference.name, limits_, "add it to limits"));
        }
    }

    // What is no map has been reported; what it was meant to hold is not known.
    [[nodiscard]] bool is_readable(std::string_view section) const
    {
        auto const* value = all_.root.find(section);
        return value == nullptr || value->is_map();
    }

    void known_upstream(route_outline const& route)
    {
        auto const* written = route.source->find("upstream");
        if (written == nullptr || !written->is_scalar() || !is_readable("upstreams")) return;
        used_upstreams_.insert(route.upstream);
        if (std::find(upstreams_.begin(), upstreams_.end(), route.upstream) != upstreams_.end()) return;
        problems_.error(written->at, route.path + ".upstream",
                        "there is no upstream '" + written->written + "'; " +
                            suggestion_among(route.upstream, upstreams_, "add it to upstreams"));
    }

    static std::string suggestion_among(std::string_view written, std::vector<std::string_view> const& known,
                                        std::string otherwise)
    {
        auto text = suggestion(written, known);
        return text.empty() ? std::move(otherwise) : text;
    }

    void unlimited(route_outline const& route)
    {
        auto const* before = route.source->find("before_auth");
        if (!route.is_unlimited || before == nullptr) return;
        problems_.error(before->at, route.path + ".before_auth", "stands beside `limits: none`; remove one of them");
    }

    void terms(route_outline const& route)
    {
        auto const met = all_.parts.terms_of(route);
        if (met.size() > limiter::max_claims) {
            problems_.error(route.at, route.path,
                            "a request would meet " + std::to_string(met.size()) + " limits, global ones included; at most " +
                                std::to_string(limiter::max_claims) + " are possible");
        }
        std::set<std::string> seen;
        for (auto const& term : met) {
            for (auto const& reference : term) {
                if (!seen.insert(reference.name).second && repeated_.insert(reference.path).second) {
                    problems_.error(reference.at, reference.path,
                                    "limit '" + reference.name + "' is met twice on " + route.path + "; name it once");
                }
                if (auto const* limit = all_.parts.find_limit(reference.name)) limit_on(route, *limit, reference);
            }
        }
        for (auto const& term : route.before_auth) {
            for (auto const& reference : term) before_auth(reference);
        }
    }

    void limit_on(route_outline const& route, limit_outline const& limit, limit_reference const& reference)
    {
        auto const burst = limit.has_algorithm ? limit.most_at_once() : 0;
        // A request holds the permits that the limit itself says, whatever it costs elsewhere.
        bool const is_held = std::holds_alternative<limiter::concurrency>(limit.policy.quota.algorithm);
        auto const most = route.cost_from ? route.cost_from->most : route.cost.value_or(0);
        if (limit.has_algorithm && !is_held && most > burst) {
            problems_.error(route.source->find(route.cost_from ? "cost.max" : "cost")->at,
                            route.path + (route.cost_from ? ".cost.max" : ".cost"),
                            "is above the " + std::to_string(burst) + " that limit '" + reference.name +
                                "' admits at once, so no request could pass; lower it");
        }
        for (auto const& entry : limit.policy.key) {
            if (entry.source != entry_source::path_capture || !route.has_pattern || captures(route.route.path, entry.name))
                continue;
            problems_.error(reference.at, reference.path,
                            "limit '" + reference.name + "' is keyed by path." + entry.name + ", but the path of " +
                                route.path + " (" + route.route.path.text() + ") has no {" + entry.name +
                                "}; add it or use another limit");
        }
    }

    void before_auth(limit_reference const& reference)
    {
        auto const* limit = all_.parts.find_limit(reference.name);
        if (limit == nullptr) return;
        auto const& tiers = limit->policy.from_attribute;
        if (tiers && tiers->origin == limiter::attribute_origin::token)
            problems_.error(reference.at, reference.path,
                            "limit '" + reference.name +
                                "' takes its numbers from a token, which nobody has verified yet; name it in limits");
        auto const& key = limit->policy.key;
        auto const is_credential = [](partition::entry const& entry) {
            return entry.source == entry_source::api_key || entry.source == entry_source::api_key_attribute ||
                   entry.source == entry_source::jwt_claim;
        };
        auto const credential = std::find_if(key.begin(), key.end(), is_credential);
        if (credential == key.end()) return;
        problems_.error(reference.at, reference.path,
                        "limit '" + reference.name + "' is keyed by " +
                            (credential->source == entry_source::jwt_claim ? "a claim of a token" : "api_key") +
                            ", which nobody has looked at yet; name it in limits");
    }

    void names()
    {
        std::map<std::string, std::string> taken;
        for (auto const& route : all_.parts.routes) {
            auto const* written = route.source->find("name");
            if (written == nullptr || !written->is_scalar()) continue;
            auto const [first, is_new] = taken.emplace(written->text, route.path);
            if (is_new) continue;
            problems_.error(written->at, route.path + ".name",
                            "'" + written->written + "' is the name of " + first->second + ", too; give each route its own");
        }
    }

    void covered()
    {
        auto const& routes = all_.parts.routes;
        for (std::size_t later = 0; later < routes.size(); ++later) {
            if (!routes[later].has_pattern) continue;
            for (std::size_t earlier = 0; earlier < later; ++earlier) {
                if (!routes[earlier].has_pattern || !covers(routes[earlier].route, routes[later].route)) continue;
                problems_.warning(routes[later].at, routes[later].path,
                                  "can never match: " + routes[earlier].path +
                                      " before it takes all of its requests; put it first");
                break;
            }
        }
    }

    void unused()
    {
        for (auto const& limit : all_.parts.limits) {
            if (used_limits_.contains(limit.policy.name)) continue;
            problems_.warning(limit.at, limit.path, "no route meets this limit; name it in a route's limits or remove it");
        }
        auto const* upstreams = all_.root.find("upstreams");
        for (std::size_t i = 0; upstreams != nullptr && i < upstreams->members.size(); ++i) {
            auto const& upstream = upstreams->members[i];
            if (used_upstreams_.contains(upstream.key)) continue;
            problems_.warning(upstream.key_at, "upstreams." + upstream.key,
                              "no route uses this upstream; name it in a route or remove it");
        }
    }

    checked const& all_;
    problem_list& problems_;
    std::vector<std::string_view> limits_;
    std::vector<std::string_view> upstreams_;
    std::set<std::string> repeated_; // reported already, on an earlier route
    std::set<std::string> used_limits_;
    std::set<std::string> used_upstreams_;
};

} // namespace

void check_routes(checked const& all, problem_list& problems) { route_check{all, problems}.run(); }

} // namespace penstock::conf
