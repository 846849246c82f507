#include "limiter/redis/scripts.hpp"

#include <doctest/doctest.h>

#include <regex>
#include <set>
#include <string>

namespace penstock::limiter::redis {
namespace {

std::set<std::string> commands_of(script const& which)
{
    static std::regex const calls("call\\('([A-Z]+)'");
    std::string const text(which.text);
    std::set<std::string> found;
    for (std::sregex_iterator each(text.begin(), text.end(), calls), end; each != end; ++each) found.insert((*each)[1]);
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
