#include "gateway/store_watch.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using penstock::gateway::store_watch;

namespace {

struct told {
    std::vector<std::string> lines;
    store_watch watch{[this](std::string const& line) { lines.push_back("good: " + line); },
                      [this](std::string const& line) { lines.push_back("bad: " + line); }};
};

using lines = std::vector<std::string>;

} // namespace

TEST_CASE("what all workers see is said once, going and coming")
{
    told it;
    for (auto const worker : {0U, 1U, 2U}) it.watch.better(worker, "connected");
    for (auto const worker : {2U, 0U, 1U}) it.watch.worse(worker, "lost");
    for (auto const worker : {0U, 1U}) it.watch.better(worker, "connected");
    CHECK(it.lines == lines{"good: connected", "bad: lost"});
    it.watch.better(2, "connected");
    CHECK(it.lines == lines{"good: connected", "bad: lost", "good: connected"});
}

TEST_CASE("another trouble is another line; an outage that comes again is said again")
{
    told it;
    it.watch.worse(0, "lost");
    it.watch.worse(0, "breaker open");
    it.watch.worse(1, "breaker open");
    it.watch.better(0, "connected");
    it.watch.better(1, "connected");
    it.watch.worse(1, "lost");
    CHECK(it.lines == lines{"bad: lost", "bad: breaker open", "good: connected", "bad: lost"});
}

TEST_CASE("a worker whose store was replaced in its trouble holds back nobody's good news")
{
    told it;
    it.watch.worse(0, "cannot use old");
    it.watch.worse(1, "cannot use old");
    it.watch.begins_anew(0);
    it.watch.begins_anew(1);
    it.watch.better(1, "connected to new");
    it.watch.better(0, "connected to new");
    CHECK(it.lines == lines{"bad: cannot use old", "good: connected to new"});
}
