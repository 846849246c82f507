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
    for (auto const worker : {0U, 1U, 2U}) it.watch.better({worker}, "connected");
    for (auto const worker : {2U, 0U, 1U}) it.watch.worse({worker}, "lost");
    for (auto const worker : {0U, 1U}) it.watch.better({worker}, "connected");
    CHECK(it.lines == lines{"good: connected", "bad: lost"});
    it.watch.better({2}, "connected");
    CHECK(it.lines == lines{"good: connected", "bad: lost", "good: connected"});
}

TEST_CASE("another trouble is another line; an outage that comes again is said again")
{
    told it;
    it.watch.worse({0}, "lost");
    it.watch.worse({0}, "breaker open");
    it.watch.worse({1}, "breaker open");
    it.watch.better({0}, "connected");
    it.watch.better({1}, "connected");
    it.watch.worse({1}, "lost");
    CHECK(it.lines == lines{"bad: lost", "bad: breaker open", "good: connected", "bad: lost"});
}

TEST_CASE("a worker whose store was replaced in its trouble holds back nobody's good news")
{
    told it;
    it.watch.worse({0}, "cannot use old");
    it.watch.worse({1}, "cannot use old");
    auto const first = it.watch.begins_anew(0);
    auto const second = it.watch.begins_anew(1);
    it.watch.better(second, "connected to new");
    it.watch.better(first, "connected to new");
    CHECK(it.lines == lines{"bad: cannot use old", "good: connected to new"});
}

TEST_CASE("a former store that lives on is not heard: it neither warns, nor hides or ends the trouble of the present one")
{
    told it;
    auto const former = it.watch.begins_anew(0);
    it.watch.better(former, "connected to old");
    auto const present = it.watch.begins_anew(0);
    it.watch.worse(former, "lost");
    CHECK(it.lines == lines{"good: connected to old"});
    it.watch.worse(present, "lost");
    it.watch.better(former, "connected to old");
    it.watch.better(present, "connected to new");
    CHECK(it.lines == lines{"good: connected to old", "bad: lost", "good: connected to new"});
}

TEST_CASE("a worker that has no store any more is in no trouble")
{
    told it;
    auto const gone = it.watch.begins_anew(0);
    it.watch.worse(gone, "lost");
    it.watch.begins_anew(0);
    it.watch.worse(gone, "breaker open");
    it.watch.better({1}, "connected");
    CHECK(it.lines == lines{"bad: lost", "good: connected"});
}

TEST_CASE("a remark is warned of once for all workers, holds no good news back, and comes again after an outage")
{
    told it;
    for (auto const worker : {0U, 1U}) it.watch.remark({worker}, "calls fail");
    for (auto const worker : {0U, 1U}) it.watch.better({worker}, "connected");
    for (auto const worker : {0U, 1U}) it.watch.remark({worker}, "calls fail");
    it.watch.begins_anew(0);
    it.watch.remark({0}, "calls fail otherwise");
    CHECK(it.lines == lines{"bad: calls fail", "good: connected", "bad: calls fail"});
}
