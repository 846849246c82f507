#include "conf/check_exactness.hpp"

#include "conf/check_value.hpp"
#include "conf/known_keys.hpp"
#include "conf/read.hpp"
#include "conf/read_algorithm.hpp"
#include "conf/scalar.hpp"

#include <algorithm>

namespace penstock::conf {

namespace {

node const* find_number(member const& algorithm, node const* instead, std::string_view key)
{
    auto const* other = instead != nullptr ? instead->find(key) : nullptr;
    return other != nullptr ? other : algorithm.value.find(key);
}

bool is_right(known_key const& known, node const* value)
{
    if (value == nullptr) return known.needed == presence::optional;
    return value->is_scalar() && problem_with_value(known, *value).empty();
}

bool all_are_right(member const& algorithm, node const* instead)
{
    auto const section = "limits.*." + algorithm.key;
    auto const keys = keys_below(section);
    return std::all_of(keys.begin(), keys.end(), [&](std::string_view key) {
        return is_right(*find_known(section + '.' + std::string{key}), find_number(algorithm, instead, key));
    });
}

exactness_problem problem_with_bucket(member const& algorithm, node const* instead)
{
    auto const refill = parsed(find_number(algorithm, instead, "refill"), parse_rate);
    bool const is_periodic = text_of(find_number(algorithm, instead, "replenish")) == "periodic";
    if (is_periodic && refill->period.count() < limiter::shortest_window_us)
        return {"refill", "comes too often for `replenish: periodic`, whose periods last 100ms or longer; write the same rate "
                          "over a longer period"};
    if (is_periodic) return {"refill", "takes more than 71 years to fill the bucket; raise it, or lower the capacity"};
    return {"refill",
            "cannot be kept exactly with this capacity; write the same rate over a shorter period, or lower the capacity"};
}

} // namespace

std::optional<exactness_problem> problem_with_exactness(member const& algorithm, node const* instead)
{
    if (algorithm.key == "fixed_window" || !algorithm.value.is_map() || !all_are_right(algorithm, instead)) return std::nullopt;
    if (read_algorithm(algorithm, instead, {})) return std::nullopt;
    if (algorithm.key == "token_bucket") return problem_with_bucket(algorithm, instead);
    if (algorithm.key == "sliding_window")
        return exactness_problem{"segments",
                                 "do not divide the window into whole milliseconds, 10ms or longer each; use another "
                                 "number of segments"};
    return exactness_problem{"limit", "cannot be counted exactly over this window; lower it, or shorten the window"};
}

} // namespace penstock::conf
