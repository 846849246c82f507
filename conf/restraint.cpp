#include "conf/restraint.hpp"

#include "conf/address.hpp"
#include "conf/key_language.hpp"
#include "conf/read.hpp"
#include "conf/wide_network.hpp"

#include <algorithm>

namespace penstock::conf {

bool may_be_absent(limit_outline const& limit)
{
    auto const& key = limit.policy.key;
    return std::any_of(key.begin(), key.end(), is_optional);
}

bool always_applies(limit_outline const& limit)
{
    return !limit.has_key || !may_be_absent(limit) || limit.policy.on_missing_key != limiter::missing_key::skip;
}

bool exempts_everybody(limit_outline const& limit)
{
    auto const exempt = elements(limit.source->find("exempt.addresses"));
    return std::any_of(exempt.begin(), exempt.end(), [](node const* written) {
        auto const network = parsed(written, parse_network);
        return network && is_wide(*network);
    });
}

bool holds_back(limit_outline const& limit)
{
    return limit.policy.enforce == limiter::enforcement::enforce &&
           !std::holds_alternative<limiter::concurrency>(limit.policy.quota.algorithm) && !exempts_everybody(limit);
}

std::vector<limit_outline const*> reachable(outline const& all, term_outline const& term)
{
    std::vector<limit_outline const*> limits;
    for (auto const& reference : term) {
        limits.push_back(all.find_limit(reference.name));
        if (limits.back() == nullptr || !limits.back()->has_key || !may_be_absent(*limits.back())) break;
    }
    return limits;
}

bool is_readable(limit_outline const* limit) { return limit != nullptr && limit->has_key && limit->has_algorithm; }

} // namespace penstock::conf
