#include "tests/support/scenario.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <deque>
#include <fstream>
#include <set>
#include <sstream>
#include <stdexcept>

namespace penstock::tests {
namespace {

using json = nlohmann::json;

void only_fields(json const& object, std::set<std::string> const& known)
{
    for (auto const& [name, value] : object.items()) {
        if (!known.contains(name)) throw std::runtime_error("unknown field " + name);
    }
}

limiter::algorithm read_algorithm(json const& object)
{
    only_fields(object, {"token_bucket", "fixed_window"});
    if (object.contains("token_bucket")) {
        auto const& from = object.at("token_bucket");
        only_fields(from, {"capacity", "refill", "period_us"});
        auto const made =
            limiter::make_token_bucket(from.at("capacity"), from.at("refill"), base::micros{from.at("period_us")});
        if (!made) throw std::runtime_error("this token bucket cannot be calculated exactly");
        return *made;
    }
    auto const& from = object.at("fixed_window");
    only_fields(from, {"limit", "window_us"});
    auto const made = limiter::make_fixed_window(from.at("limit"), base::micros{from.at("window_us")});
    if (!made) throw std::runtime_error("this fixed window cannot be calculated exactly");
    return *made;
}

limits_by_name read_limits(json const& object)
{
    limits_by_name result;
    for (auto const& [name, parameters] : object.items()) result.emplace(name, read_algorithm(parameters));
    return result;
}

base::micros read_retry_after(json const& claim)
{
    if (!claim.contains("retry_after_us")) return base::micros{0};
    auto const& value = claim.at("retry_after_us");
    if (value == "never") return limiter::never;
    return base::micros{value.get<std::int64_t>()};
}

expected_claim read_claim(json const& object, limits_by_name const& limits)
{
    only_fields(object, {"limit", "identity", "cost", "shadow", "allowed", "remaining", "reset_after_us", "retry_after_us"});
    expected_claim result;
    result.limit = object.at("limit");
    if (!limits.contains(result.limit)) throw std::runtime_error("unknown limit " + result.limit);
    result.identity = object.at("identity");
    result.cost = object.value("cost", std::int64_t{1});
    result.shadow = object.value("shadow", false);
    result.answer = {.allowed = object.at("allowed"),
                     .remaining = object.at("remaining"),
                     .reset_after = base::micros{object.at("reset_after_us")},
                     .retry_after = read_retry_after(object)};
    return result;
}

std::variant<request_step, change_step> read_step(json const& object, limits_by_name const& limits)
{
    if (object.contains("change")) {
        only_fields(object, {"change"});
        return change_step{read_limits(object.at("change"))};
    }
    only_fields(object, {"at_us", "repeat", "allowed", "claims"});
    request_step result;
    result.at = base::micros{object.at("at_us")};
    result.repeat = object.value("repeat", 1);
    result.allowed = object.at("allowed");
    for (auto const& claim : object.at("claims")) result.claims.push_back(read_claim(claim, limits));
    return result;
}

scenario read_scenario(json const& object)
{
    only_fields(object, {"name", "limits", "steps"});
    scenario result;
    result.name = object.at("name");
    result.limits = read_limits(object.at("limits"));
    for (auto const& step : object.at("steps")) {
        try {
            result.steps.push_back(read_step(step, result.limits));
        } catch (std::exception const& e) {
            throw std::runtime_error(result.name + ", step " + std::to_string(result.steps.size() + 1) + ": " + e.what());
        }
    }
    return result;
}

std::string text_of(limiter::decision const& d)
{
    std::ostringstream out;
    out << (d.allowed ? "allowed" : "refused") << " remaining " << d.remaining << " reset_after " << d.reset_after.count()
        << " retry_after ";
    if (d.retry_after == limiter::never)
        out << "never";
    else
        out << d.retry_after.count();
    return out.str();
}

// The claims of one request with the policies they point to.
struct question {
    std::deque<limiter::policy> policies;
    limiter::claims claims;
};

question question_of(request_step const& step, limits_by_name const& limits, std::string const& key_prefix)
{
    question result;
    for (auto const& each : step.claims) {
        auto& policy = result.policies.emplace_back();
        policy.name = each.limit;
        policy.quota.algorithm = limits.at(each.limit);
        policy.quota.key_suffix = ":" + each.limit + ":" + limiter::tag_of(policy.quota.algorithm);
        policy.enforce = each.shadow ? limiter::enforcement::shadow : limiter::enforcement::enforce;
        auto& claim = result.claims.emplace_back();
        claim.policy = &policy;
        claim.cost = each.cost;
        claim.key.append(key_prefix + "{" + each.identity + "}" + policy.quota.key_suffix);
    }
    return result;
}

void compare(request_step const& step, limiter::verdict const& got, std::string const& where, std::vector<std::string>& wrong)
{
    if (got.allowed != step.allowed) wrong.push_back(where + ": the request was " + (got.allowed ? "allowed" : "refused"));
    if (got.decisions.size() != step.claims.size()) {
        wrong.push_back(where + ": " + std::to_string(got.decisions.size()) + " decisions");
        return;
    }
    for (std::size_t i = 0; i < step.claims.size(); ++i) {
        auto const& expected = step.claims[i];
        if (got.decisions[i] == expected.answer) continue;
        wrong.push_back(where + ", limit " + expected.limit + " of " + expected.identity + ": expected " +
                        text_of(expected.answer) + ", got " + text_of(got.decisions[i]));
    }
}

} // namespace

std::vector<scenario> read_scenarios(std::filesystem::path const& file)
{
    try {
        std::ifstream in{file};
        if (!in) throw std::runtime_error("cannot be opened");
        std::vector<scenario> result;
        for (auto const& each : json::parse(in)) result.push_back(read_scenario(each));
        return result;
    } catch (std::exception const& e) {
        throw std::runtime_error(file.string() + ": " + e.what());
    }
}

std::vector<scenario> all_scenarios()
{
    std::vector<std::filesystem::path> files;
    for (auto const& entry : std::filesystem::directory_iterator{std::filesystem::path{PENSTOCK_SOURCE_DIR} / "tests/cases"}) {
        if (entry.path().extension() == ".json") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    std::vector<scenario> result;
    for (auto const& file : files) {
        auto more = read_scenarios(file);
        std::move(more.begin(), more.end(), std::back_inserter(result));
    }
    return result;
}

std::vector<std::string> run(scenario const& what, acquire_function const& acquire, base::instant origin,
                             std::string const& key_prefix)
{
    std::vector<std::string> wrong;
    auto limits = what.limits;
    int number = 0;
    for (auto const& step : what.steps) {
        ++number;
        if (auto const* change = std::get_if<change_step>(&step)) {
            for (auto const& [name, parameters] : change->limits) limits.insert_or_assign(name, parameters);
            continue;
        }
        auto const& request = std::get<request_step>(step);
        auto const question = question_of(request, limits, key_prefix);
        for (int i = 1; i <= request.repeat; ++i) {
            auto const got = acquire(question.claims, origin + request.at);
            compare(request, got, what.name + ", step " + std::to_string(number) + " time " + std::to_string(i), wrong);
        }
    }
    return wrong;
}

} // namespace penstock::tests
