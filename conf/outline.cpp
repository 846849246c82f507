#include "conf/outline.hpp"

#include "conf/address.hpp"
#include "conf/hidden_values.hpp"
#include "conf/read.hpp"
#include "conf/read_auth.hpp"
#include "conf/read_limit.hpp"
#include "conf/route_cover.hpp"
#include "conf/scalar.hpp"

#include <algorithm>
#include <set>

namespace penstock::conf {

namespace {

std::string indexed(std::string const& path, std::size_t i) { return path + '[' + std::to_string(i) + ']'; }

std::vector<term_outline> read_terms(node const* list, std::string const& path)
{
    std::vector<term_outline> terms;
    if (list == nullptr || !list->is_list()) return terms;
    for (std::size_t i = 0; i < list->items.size(); ++i) {
        auto const& item = list->items[i];
        auto const item_path = indexed(path, i);
        term_outline term;
        if (item.is_scalar()) term.push_back({item.text, item.at, item_path});
        if (auto const* members = item.find("first_of"); members != nullptr && members->is_list()) {
            for (std::size_t j = 0; j < members->items.size(); ++j) {
                auto const& member = members->items[j];
                if (member.is_scalar()) term.push_back({member.text, member.at, indexed(item_path + ".first_of", j)});
            }
        }
        if (!term.empty()) terms.push_back(std::move(term));
    }
    return terms;
}

route_outline read_route(node const& written, std::string const& path)
{
    route_outline made;
    made.at = written.at;
    made.path = path;
    made.source = &written;
    made.route.name = text_of(written.find("name"));
    made.route.host = parsed(written.find("match.host"), parse_host_pattern).value_or(std::string{});
    auto const* pattern = written.find("match.path");
    made.has_pattern = pattern == nullptr || (pattern->is_scalar() && proxy::path_pattern::problem_with(pattern->text).empty());
    if (pattern != nullptr && made.has_pattern) made.route.path = proxy::path_pattern{pattern->text};
    for (auto const* method : elements(written.find("match.methods"))) made.route.methods.push_back(method->text);
    choose(made.route.forward_path, written.find("forward_path"), {{"raw", proxy::forward_path::raw}});
    made.upstream = text_of(written.find("upstream"));
    made.before_auth = read_terms(written.find("before_auth"), path + ".before_auth");
    made.own = read_terms(written.find("limits"), path + ".limits");
    made.is_unlimited = text_of(written.find("limits")) == "none";
    made.deny = read_denials(written.find("deny"));
    made.cost = parsed(written.find("cost"), parse_integer);
    made.cost_from = read_cost_field(written.find("cost"));
    return made;
}

// A route without a name is called after what it matches. Such a name has a '/', so it can meet no name that was given;
// routes that match the same host and path (by other methods) are told apart by a number.
void name_routes(std::vector<route_outline>& routes)
{
    std::set<std::string> taken;
    for (auto& one : routes) {
        if (!one.route.name.empty()) continue;
        auto const base = one.route.host + one.route.path.text();
        auto name = base;
        for (int n = 2; !taken.insert(name).second; ++n) name = base + '#' + std::to_string(n);
        one.route.name = std::move(name);
    }
}

// On any route: a request with the same path may take another one, by its method or host.
bool has_credentials_in_paths(outline const& made)
{
    return std::ranges::any_of(made.routes, [](auto const& each) { return captures_credential(each.route.path); });
}

} // namespace

limit_outline const* outline::find_limit(std::string_view name) const noexcept
{
    auto const found =
        std::find_if(limits.begin(), limits.end(), [&](limit_outline const& l) { return l.policy.name == name; });
    return found == limits.end() ? nullptr : &*found;
}

std::vector<term_outline> outline::terms_of(route_outline const& route) const
{
    if (route.is_unlimited) return {};
    auto terms = route.before_auth;
    terms.insert(terms.end(), global.begin(), global.end());
    terms.insert(terms.end(), route.own.begin(), route.own.end());
    return terms;
}

limiter::scope scope_of(node const& limit, settings const& read)
{
    auto scope = read.redis ? limiter::scope::fleet : limiter::scope::instance;
    choose(scope, limit.find("scope"), {{"instance", limiter::scope::instance}, {"fleet", limiter::scope::fleet}});
    return scope;
}

outline read_outline(node const& root, settings const& read, calendars known)
{
    outline made;
    made.calendars = std::move(known);
    if (auto const* limits = root.find("limits"); limits != nullptr) {
        for (auto const& limit : limits->members) made.limits.push_back(read_limit(limit, read.client, made.calendars));
    }
    made.global = read_terms(root.find("global_limits"), "global_limits");
    if (auto const* routes = root.find("routes"); routes != nullptr) {
        for (std::size_t i = 0; i < routes->items.size(); ++i)
            made.routes.push_back(read_route(routes->items[i], indexed("routes", i)));
    }
    name_routes(made.routes);
    auto const in_paths = has_credentials_in_paths(made);
    for (auto& limit : made.limits) hide_credentials(limit.policy.key, read.api_keys.from, in_paths);
    return made;
}

} // namespace penstock::conf
