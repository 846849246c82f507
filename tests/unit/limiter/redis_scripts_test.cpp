#include "limiter/redis/scripts.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <string_view>

namespace penstock::limiter::redis {
namespace {

std::set<std::string> commands_of(script const& which)
{
    constexpr std::string_view call = "call('";
    std::set<std::string> found;
    std::string_view rest = which.text;
    for (auto at = rest.find(call); at != std::string_view::npos; at = rest.find(call)) {
        rest.remove_prefix(at + call.size());
        found.emplace(rest.substr(0, rest.find('\'')));
    }
    return found;
}

} // namespace

TEST_CASE("the probe uses every command that any script may use, and none besides")
{
    std::set<std::string> used;
    for (auto const* each : {&scripts::acquire, &scripts::refund, &scripts::lease, &scripts::announce})
        used.merge(commands_of(*each));
    CHECK(used.size() > 4);
    CHECK(commands_of(scripts::probe) == used);
}

} // namespace penstock::limiter::redis
