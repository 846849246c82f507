#include "gateway/store_watch.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using penstock::gateway::store_watch;

namespace {

struct told {
    std::vector<std::string> lines;
    store_watch watch{[this](std::string const& line) { lines.push_back("good: " + line); },
                      [this](std::string const& line) { lines.push_back("bad: " + line); }};
};

using lines = std::vector<std::string>;
using notice = store_watch::notice;

notice with_node(std::string line, std::string kind, std::string node)
{
    notice made(std::move(line), std::move(kind));
    made.node = std::move(node);
    return made;
}

} // namespace

TEST_CASE("what all workers see is said once, going and coming")
{
    told it;
    for (auto const worker : {0U, 1U, 2U}) it.watch.better({worker}, notice("connected"));
    for (auto const worker : {2U, 0U, 1U}) it.watch.worse({worker}, notice("lost"));
    for (auto const worker : {0U, 1U}) it.watch.better({worker}, notice("connected"));
    CHECK(it.lines == lines{"good: connected", "bad: lost"});
    it.watch.better({2}, notice("connected"));
    CHECK(it.lines == lines{"good: connected", "bad: lost", "good: connected"});
}

TEST_CASE("another trouble is another line; an outage that comes again is said again")
{
    told it;
    it.watch.worse({0}, notice("lost"));
    it.watch.worse({0}, notice("breaker open"));
    it.watch.worse({1}, notice("breaker open"));
    it.watch.better({0}, notice("connected"));
    it.watch.better({1}, notice("connected"));
    it.watch.worse({1}, notice("lost"));
    CHECK(it.lines == lines{"bad: lost", "bad: breaker open", "good: connected", "bad: lost"});
}

TEST_CASE("a worker whose store was replaced in its trouble holds back nobody's good news")
{
    told it;
    it.watch.worse({0}, notice("cannot use old"));
    it.watch.worse({1}, notice("cannot use old"));
    auto const first = it.watch.begins_anew(0);
    auto const second = it.watch.begins_anew(1);
    it.watch.better(second, notice("connected to new"));
    it.watch.better(first, notice("connected to new"));
    CHECK(it.lines == lines{"bad: cannot use old", "good: connected to new"});
}

TEST_CASE("a former store that lives on is not heard: it neither warns, nor hides or ends the trouble of the present one")
{
    told it;
    auto const former = it.watch.begins_anew(0);
    it.watch.better(former, notice("connected to old"));
    auto const present = it.watch.begins_anew(0);
    it.watch.worse(former, notice("lost"));
    CHECK(it.lines == lines{"good: connected to old"});
    it.watch.worse(present, notice("lost"));
    it.watch.better(former, notice("connected to old"));
    it.watch.better(present, notice("connected to new"));
    CHECK(it.lines == lines{"good: connected to old", "bad: lost", "good: connected to new"});
}

TEST_CASE("a worker that has no store any more is in no trouble")
{
    told it;
    auto const gone = it.watch.begins_anew(0);
    it.watch.worse(gone, notice("lost"));
    it.watch.begins_anew(0);
    it.watch.worse(gone, notice("breaker open"));
    it.watch.better({1}, notice("connected"));
    CHECK(it.lines == lines{"bad: lost", "good: connected"});
}

TEST_CASE("a remark is warned of once for all workers, holds no good news back, and comes again after an outage")
{
    told it;
    for (auto const worker : {0U, 1U}) it.watch.remark({worker}, notice("calls fail"));
    for (auto const worker : {0U, 1U}) it.watch.better({worker}, notice("connected"));
    for (auto const worker : {0U, 1U}) it.watch.remark({worker}, notice("calls fail"));
    it.watch.begins_anew(0);
    it.watch.remark({0}, notice("calls fail otherwise"));
    CHECK(it.lines == lines{"bad: calls fail", "good: connected", "bad: calls fail"});
}

TEST_CASE("a trouble is known by its kind and its node, whatever the words")
{
    told it;
    it.watch.worse({0}, {"lost: End of file", "connection"});
    it.watch.worse({1}, {"lost: Connection reset by peer", "connection"});
    it.watch.worse({1}, {"breaker open: 77", "breaker"});
    it.watch.worse({0}, {"breaker open: 78", "breaker"});
    it.watch.worse({0}, with_node("a: lost", "connection", "a"));
    it.watch.worse({1}, with_node("a: gone", "connection", "a"));
    it.watch.worse({1}, with_node("b: lost", "connection", "b"));
    for (auto const worker : {0U, 1U}) it.watch.remark({worker}, {"calls fail: " + std::to_string(worker), "calls"});
    CHECK(it.lines ==
          lines{"bad: lost: End of file", "bad: breaker open: 77", "bad: a: lost", "bad: b: lost", "bad: calls fail: 0"});
}

TEST_CASE("what others still wait for is known to who brings good news, and a former store's is none")
{
    told it;
    for (auto const worker : {0U, 1U, 2U}) it.watch.worse({worker}, notice("lost"));
    CHECK(it.watch.better({1}, notice("connected")));
    CHECK(it.watch.better({0}, notice("connected")));
    CHECK_FALSE(it.watch.better({2}, notice("connected")));
    CHECK_FALSE(it.watch.better({0}, notice("connected")));
    auto const former = it.watch.begins_anew(0);
    it.watch.begins_anew(0);
    it.watch.worse({1}, notice("lost"));
    CHECK_FALSE(it.watch.better(former, notice("connected")));
}

TEST_CASE("kinds without end are neither said nor remembered without end")
{
    told it;
    for (std::size_t i = 0; i < 2 * store_watch::most_known; ++i) {
        it.watch.worse({0}, notice("trouble " + std::to_string(i)));
        it.watch.remark({0}, notice("remark " + std::to_string(i)));
    }
    CHECK(it.lines.size() == 2 * store_watch::most_known);
    CHECK_FALSE(it.watch.better({0}, notice("connected")));
    it.watch.worse({0}, notice("lost"));
    CHECK(it.lines.back() == "bad: lost");
}

TEST_CASE("good news of one node is said while others are in trouble, and ends the trouble with that one only")
{
    told it;
    for (auto const* node : {"a", "b"})
        for (auto const worker : {0U, 1U}) it.watch.worse({worker}, with_node(std::string(node) + " lost", "connection", node));
    CHECK(it.watch.better({0}, with_node("a back", "", "a")));
    CHECK(it.lines == lines{"bad: a lost", "bad: b lost"});
    it.watch.better({1}, with_node("a back", "", "a"));
    it.watch.worse({0}, with_node("a lost", "connection", "a"));
    it.watch.worse({0}, with_node("b lost", "connection", "b"));
    CHECK(it.lines == lines{"bad: a lost", "bad: b lost", "good: a back", "bad: a lost"});
    it.watch.better({0}, notice("all well"));
    CHECK(it.watch.better({1}, notice("all well")) == false);
    CHECK(it.lines.back() == "good: all well");
}

TEST_CASE("of new stores everything is said again, once for all workers, though it is the same as of the former")
{
    told it;
    auto const tell_all = [&it] {
        std::vector<store_watch::speaker> const workers{it.watch.begins_anew(0), it.watch.begins_anew(1)};
        for (auto const& each : workers) {
            it.watch.better(each, notice("connected"));
            it.watch.remark(each, notice("calls fail"));
        }
        CHECK(std::exchange(it.lines, {}) == lines{"good: connected", "bad: calls fail"});
    };
    tell_all();
    tell_all();
    // One worker is later than the other.
    auto const first = it.watch.begins_anew(0);
    it.watch.better(first, notice("connected"));
    auto const second = it.watch.begins_anew(1);
    it.watch.better(second, notice("connected"));
    CHECK(it.lines == lines{"good: connected"});
}
