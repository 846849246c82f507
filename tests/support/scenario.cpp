#include "tests/support/scenario.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <deque>
#include <fstream>
#include <optional>
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

using calendars = std::vector<std::shared_ptr<limiter::calendar const>>;

limiter::calendar_unit read_unit(std::string const& name)
{
    if (name == "day") return limiter::calendar_unit::day;
    if (name == "week") return limiter::calendar_unit::week;
    if (name == "month") return limiter::calendar_unit::month;
    throw std::runtime_error("unknown unit " + name);
}

// What is made of a limit's parameters; nothing if it cannot be calculated exactly.
std::optional<limiter::algorithm> make_algorithm(std::string const& kind, json const& from, calendars& keep)
{
    auto const micros_of = [&](char const* field) { return base::micros{from.at(field)}; };
    if (kind == "token_bucket") {
        only_fields(from, {"capacity", "refill", "period_us"});
        return limiter::make_token_bucket(from.at("capacity"), from.at("refill"), micros_of("period_us"));
    }
    if (kind == "periodic_bucket") {
        only_fields(from, {"capacity", "refill", "period_us"});
        return limiter::make_periodic_bucket(from.at("capacity"), from.at("refill"), micros_of("period_us"));
    }
    if (kind == "calendar_window") {
        only_fields(from, {"limit", "unit", "starts_us"});
        limiter::calendar const made{read_unit(from.at("unit")), "of the test", from.at("starts_us")};
        keep.push_back(std::make_shared<limiter::calendar const>(made));
        return limiter::make_calendar_window(from.at("limit"), *keep.back());
    }
    if (kind == "sliding_window") {
        only_fields(from, {"limit", "window_us", "segments"});
        return limiter::make_sliding_window(from.at("limit"), micros_of("window_us"), from.at("segments"));
    }
    if (kind == "concurrency") {
        only_fields(from, {"limit"});
        return limiter::make_concurrency(from.at("limit"));
    }
    only_fields(from, {"limit", "window_us"});
    if (kind == "fixed_window") return limiter::make_fixed_window(from.at("limit"), micros_of("window_us"));
    if (kind == "clock_window") return limiter::make_clock_window(from.at("limit"), micros_of("window_us"));
    if (kind == "sliding_counter") return limiter::make_sliding_counter(from.at("limit"), micros_of("window_us"));
    if (kind == "sliding_log") return limiter::make_sliding_log(from.at("limit"), micros_of("window_us"));
    throw std::runtime_error("unknown algorithm " + kind);
}

limits_by_name read_limits(json const& object, calendars& keep)
{
    limits_by_name result;
    for (auto const& [name, algorithm] : object.items()) {
        if (algorithm.size() != 1) throw std::runtime_error("limit " + name + " is not one algorithm");
        auto const made = make_algorithm(algorithm.begin().key(), algorithm.begin().value(), keep);
        if (!made) throw std::runtime_error("limit " + name + " cannot be calculated exactly");
        result.emplace(name, *made);
    }
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

request_step read_request(json const& object, limits_by_name const& limits)
{
    only_fields(object, {"at_us", "repeat", "allowed", "claims"});
    request_step result;
    result.at = base::micros{object.at("at_us")};
    result.repeat = object.value("repeat", 1);
    result.allowed = object.at("allowed");
    for (auto const& claim : object.at("claims")) result.claims.push_back(read_claim(claim, limits));
    return result;
}

give_back_step read_give_back(json const& object, limits_by_name const& limits)
{
    only_fields(object, {"at_us", "give_back"});
    auto const& from = object.at("give_back");
    only_fields(from, {"limit", "identity", "charged_at_us"});
    give_back_step result;
    result.at = base::micros{object.at("at_us")};
    result.limit = from.at("limit");
    if (!limits.contains(result.limit)) throw std::runtime_error("unknown limit " + result.limit);
    result.identity = from.at("identity");
    result.charged_at = base::micros{from.at("charged_at_us")};
    return result;
}

scenario read_scenario(json const& object)
{
    only_fields(object, {"name", "limits", "steps"});
    scenario result;
    result.name = object.at("name");
    result.limits = read_limits(object.at("limits"), result.calendars);
    for (auto const& step : object.at("steps")) {
        try {
            if (step.contains("change")) {
                only_fields(step, {"change"});
                result.steps.emplace_back(change_step{read_limits(step.at("change"), result.calendars)});
            } else if (step.contains("give_back")) {
                result.steps.emplace_back(read_give_back(step, result.limits));
            } else {
                result.steps.emplace_back(read_request(step, result.limits));
            }
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

limiter::policy policy_of(std::string const& name, limiter::algorithm const& how)
{
    limiter::policy result;
    result.name = name;
    result.quota.algorithm = how;
    result.quota.key_suffix = ":" + name + ":" + limiter::tag_of(how);
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

// One scenario under way: its limits as they are now, and the charges that may still be given back.
class scenario_run {
public:
    scenario_run(scenario const& what, asked_store const& store, base::instant origin, std::string const& key_prefix)
        : what_(what), store_(store), origin_(origin), key_prefix_(key_prefix)
    {
        change(what.limits);
    }

    std::vector<std::string> run()
    {
        for (auto const& step : what_.steps) {
            ++number_;
            if (auto const* change_to = std::get_if<change_step>(&step)) change(change_to->limits);
            if (auto const* back = std::get_if<give_back_step>(&step)) give_back(*back);
            if (auto const* request = std::get_if<request_step>(&step)) {
                for (int i = 1; i <= request->repeat; ++i) ask(*request, "time " + std::to_string(i));
            }
        }
        return wrong_;
    }

private:
    struct given {
        std::string limit;
        std::string identity;
        base::micros at;
        limiter::charge charge;
    };

    void change(limits_by_name const& limits)
    {
        for (auto const& [name, parameters] : limits) limits_.insert_or_assign(name, from_origin(parameters));
    }

    limiter::algorithm from_origin(limiter::algorithm parameters)
    {
        if (auto* window = std::get_if<limiter::calendar_window>(&parameters)) {
            auto moved = *window->calendar;
            for (auto& start : moved.starts) start += base::since_epoch_us(origin_);
            window->calendar = &calendars_.emplace_back(std::move(moved));
        }
        return parameters;
    }

    limiter::claim claim_of(limiter::policy const& policy, std::string const& identity) const
    {
        limiter::claim claim;
        claim.policy = &policy;
        claim.key.append(key_prefix_ + "{" + identity + "}" + policy.quota.key_suffix);
        return claim;
    }

    void ask(request_step const& step, std::string const& time)
    {
        std::deque<limiter::policy> policies;
        limiter::claims claims;
        for (auto const& each : step.claims) {
            auto& policy = policies.emplace_back(policy_of(each.limit, limits_.at(each.limit)));
            policy.enforce = each.shadow ? limiter::enforcement::shadow : limiter::enforcement::enforce;
            claims.push_back(claim_of(policy, each.identity));
            claims.back().cost = each.cost;
        }
        auto const got = store_.acquire(claims, origin_ + step.at);
        compare(step, got, where() + " " + time, wrong_);
        for (std::size_t i = 0; got.allowed && i < got.decisions.size(); ++i) {
            auto const& each = step.claims[i];
            if (!got.decisions[i].allowed || each.cost == 0) continue;
            charges_.push_back({each.limit, each.identity, step.at, {each.cost, got.now, got.decisions[i].reset_after}});
        }
    }

    void give_back(give_back_step const& step)
    {
        auto const found = std::find_if(charges_.rbegin(), charges_.rend(), [&](given const& each) {
            return each.limit == step.limit && each.identity == step.identity && each.at == step.charged_at;
        });
        if (found == charges_.rend()) {
            wrong_.push_back(where() + ": there is no such charge to give back");
            return;
        }
        auto const policy = policy_of(step.limit, limits_.at(step.limit));
        auto claim = claim_of(policy, step.identity);
        claim.cost = found->charge.cost;
        store_.give_back(claim, found->charge, origin_ + step.at);
        charges_.erase(std::next(found).base());
    }

    [[nodiscard]] std::string where() const { return what_.name + ", step " + std::to_string(number_); }

    scenario const& what_;
    asked_store const& store_;
    base::instant origin_;
    std::string const& key_prefix_;
    limits_by_name limits_;
    std::deque<limiter::calendar> calendars_; // by the clock of this run; limits_ point here
    std::vector<given> charges_;
    std::vector<std::string> wrong_;
    int number_ = 0;
};

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

std::vector<std::string> run(scenario const& what, asked_store const& store, base::instant origin,
                             std::string const& key_prefix)
{
    return scenario_run{what, store, origin, key_prefix}.run();
}

} // namespace penstock::tests
