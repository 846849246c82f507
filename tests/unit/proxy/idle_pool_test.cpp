#include "proxy/idle_pool.hpp"

#include "tests/unit/proxy/socket_bench.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <vector>

using namespace penstock;
using namespace penstock::proxy;

namespace {

bool is_closed(descriptor const& theirs)
{
    char byte = 0;
    auto const n = ::recv(theirs.get(), &byte, 1, 0);
    return n == 0 || (n < 0 && errno == ECONNRESET); // reset if bytes were left unread
}

} // namespace

TEST_CASE("the connection that was used last is taken first, until there is none")
{
    socket_bench on;
    auto a = on.connect();
    auto b = on.connect();
    auto const* first = a.ours.get();
    auto const* last = b.ours.get();
    on.settle();
    idle_pool pool;
    CHECK(pool.take() == nullptr);
    pool.put(std::move(a.ours), on.start);
    pool.put(std::move(b.ours), on.start);
    CHECK(pool.size() == 2);
    auto const taken_first = pool.take();
    auto const taken_second = pool.take();
    CHECK(taken_first.get() == last);
    CHECK(taken_second.get() == first);
    CHECK(pool.take() == nullptr);
}

TEST_CASE("H1-58: what its upstream has closed, or sent something on, is never taken")
{
    socket_bench on;
    auto quiet = on.connect();
    auto closed = on.connect();
    auto spoke = on.connect();
    on.settle();
    auto const* expected = quiet.ours.get();
    idle_pool pool;
    pool.put(std::move(quiet.ours), on.start);
    pool.put(std::move(closed.ours), on.start);
    pool.put(std::move(spoke.ours), on.start);
    closed.theirs.close();
    send_text(spoke.theirs, "HTTP/1.1 200 OK\r\n\r\n");
    on.settle();
    auto const taken = pool.take();
    CHECK(taken.get() == expected);
    CHECK(pool.size() == 0);
    CHECK(is_closed(spoke.theirs));
}

TEST_CASE("what has waited too long is closed, the rest stays")
{
    socket_bench on;
    auto old = on.connect();
    auto young = on.connect();
    on.settle();
    idle_pool pool;
    pool.put(std::move(old.ours), on.start);
    pool.put(std::move(young.ours), on.start + base::micros{1});
    pool.expire(on.start);
    CHECK(pool.size() == 2);
    pool.expire(on.start + base::micros{1});
    CHECK(pool.size() == 1);
    CHECK(is_closed(old.theirs));
    CHECK(!is_closed(young.theirs));
}

TEST_CASE("the pool is bounded: one too many closes the oldest")
{
    socket_bench on;
    std::vector<socket_bench::pair> links;
    idle_pool pool;
    for (std::size_t i = 0; i < idle_pool::most + 1; ++i) {
        links.push_back(on.connect());
        pool.put(std::move(links.back().ours), on.start);
    }
    CHECK(pool.size() == idle_pool::most);
    CHECK(is_closed(links[0].theirs));
    CHECK(!is_closed(links[1].theirs));
}
