#include "conf/outline.hpp"

#include "conf/address.hpp"
#include "conf/key_language.hpp"
#include "conf/read.hpp"
#include "conf/scalar.hpp"
#include "conf/words.hpp"

#include <algorithm>
#include <set>

namespace penstock::conf {

namespace {

std::string indexed(std::string const& path, std::size_t i) { return path + '[' + std::to_string(i) + ']'; }

std::optional<limiter::algorithm> read_algorithm(node const& limit)
{
    if (auto const* bucket = limit.find("token_bucket")) {
        auto const capacity = parsed(bucket->find("capacity"), parse_integer);
        auto const refill = parsed(bucket->find("refill"), parse_rate);
        if (!capacity || !refill || *capacity < 1) return std::nullopt;
        return limiter::make_token_bucket(*capacity, refill->permits, refill->period);
    }
    if (auto const* window = limit.find("fixed_window")) {
        auto const most = parsed(window->find("limit"), parse_integer);
        auto const length = parsed(window->find("window"), parse_duration);
        if (!most || !length || *most < 1 || length->count() < 1) return std::nullopt;
        return limiter::make_fixed_window(*most, *length);
    }
    return std::nullopt;
}

void read_key(node const& limit, partition::client_settings const& client, limit_outline& into)
{
    auto const written = elements(limit.find("key"));
    into.has_key = !written.empty();
    for (auto const* one : written) {
        auto entry = one->is_scalar() ? parse_key_entry(one->text, client) : std::nullopt;
        if (entry)
            into.policy.key.push_back(std::move(*entry));
        else
            into.has_key = false;
    }
}

void read_exemptions(node const& limit, limiter::policy& into)
{
    for (auto const* one : elements(limit.find("exempt.addresses"))) {
        if (auto network = parse_network(one->text)) into.exempt_networks.push_back(*network);
    }
    for (auto const* one : elements(limit.find("exempt.api_keys_sha256"))) {
        if (auto digest = parse_digest(one->text)) into.exempt_key_digests.push_back(*digest);
    }
}

limit_outline read_limit(member const& written, partition::client_settings const& client)
{
    using namespace limiter;
    auto const& limit = written.value;
    limit_outline made;
    made.at = written.key_at;
    made.path = "limits." + written.key;
    made.source = &limit;
    auto& policy = made.policy;
    policy.name = written.key;
    if (auto algorithm = read_algorithm(limit)) {
        policy.quota.algorithm = *algorithm;
        made.has_algorithm = true;
    }
    read_key(limit, client, made);
    read_exemptions(limit, policy);
    set(policy.cost, limit.find("cost"), parse_integer);
    choose(policy.enforce, limit.find("enforce"), {{"shadow", enforcement::shadow}});
    choose(policy.on_store_failure, limit.find("on_store_failure"),
           {{"allow", failure_mode::allow}, {"deny", failure_mode::deny}});
    choose(policy.on_missing_key, limit.find("on_missing_key"),
           {{"reject", missing_key::reject}, {"share", missing_key::share}});
    if (parsed(limit.find("advertise"), parse_boolean) == false) policy.advertise = advertisement::hidden;
    return made;
}

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
    made.cost = parsed(written.find("cost"), parse_integer);
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

outline read_outline(node const& root, partition::client_settings const& client)
{
    outline made;
    if (auto const* limits = root.find("limits"); limits != nullptr) {
        for (auto const& limit : limits->members) made.limits.push_back(read_limit(limit, client));
    }
    made.global = read_terms(root.find("global_limits"), "global_limits");
    if (auto const* routes = root.find("routes"); routes != nullptr) {
        for (std::size_t i = 0; i < routes->items.size(); ++i)
            made.routes.push_back(read_route(routes->items[i], indexed("routes", i)));
    }
    name_routes(made.routes);
    return made;
}

} // namespace penstock::conf
