// The room as a request meets it: enter, be called, leave; and several threads at once.
#include "tests/unit/limiter/room_visit.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace penstock::limiter {
namespace {

using tests::claim_of;
using tests::entrance;
using tests::limit_with_queue;
using tests::seconds;
using tests::visit;

TEST_CASE("oldest first: a newcomer is behind whoever waits, and a release calls the oldest")
{
    waiting_room room(100);
    auto const limit = limit_with_queue(3);
    visit a(room, claim_of(limit, "x")), b(room, claim_of(limit, "x")), other(room, claim_of(limit, "y"));
    CHECK_FALSE(a.has_ahead());
    CHECK(a.enter_behind() == entrance::nobody_ahead);
    CHECK(a.enter() == entrance::entered);
    CHECK_FALSE(a.has_ahead());
    CHECK(b.has_ahead());
    CHECK_FALSE(other.has_ahead());
    CHECK(b.enter_behind() == entrance::entered);
    CHECK(room.waiting() == 2);

    room.released(a.asked.key);
    CHECK(a.self->calls == 1);
    CHECK(b.self->calls == 0);
    a.leave();
    CHECK(b.self->calls == 1);
    CHECK_FALSE(b.has_ahead());
    b.leave();
    CHECK(room.waiting() == 0);
}

TEST_CASE("newest first: a newcomer is ahead of whoever waits, and pushes the oldest out of a full queue")
{
    waiting_room room(100);
    auto const limit = limit_with_queue(2, queue_order::newest_first);
    visit a(room, claim_of(limit, "x")), b(room, claim_of(limit, "x")), c(room, claim_of(limit, "x"));
    CHECK(a.enter() == entrance::entered);
    CHECK_FALSE(b.has_ahead());
    CHECK(b.enter() == entrance::entered);
    CHECK(a.has_ahead());
    CHECK(c.enter() == entrance::entered);
    CHECK(a.self->pushes == 1);
    CHECK(room.waiting() == 2);
    a.leave(); // of no effect: it has gone
    CHECK(room.waiting() == 2);

    room.released(a.asked.key);
    CHECK(c.self->calls == 1);
    c.leave();
    CHECK(b.self->calls == 1);
    b.leave();
    CHECK(room.waiting() == 0);
}

TEST_CASE("a queue is bounded in permits, and nobody is pushed out in vain")
{
    waiting_room room(100);
    auto const limit = limit_with_queue(5, queue_order::newest_first);
    visit one(room, claim_of(limit, "x", 1)), four(room, claim_of(limit, "x", 4)), six(room, claim_of(limit, "x", 6)),
        three(room, claim_of(limit, "x", 3));
    CHECK(one.enter() == entrance::entered);
    CHECK(four.enter() == entrance::entered);
    CHECK(six.enter() == entrance::full);
    CHECK(one.self->pushes + four.self->pushes == 0);
    CHECK(three.enter() == entrance::entered);
    CHECK(one.self->pushes == 1);
    CHECK(four.self->pushes == 1);
    CHECK(room.waiting() == 1);
}

TEST_CASE("an older one that comes from another queue pushes no younger one out")
{
    waiting_room room(100);
    auto const limit = limit_with_queue(1, queue_order::newest_first);
    visit older(room, claim_of(limit, "x")), younger(room, claim_of(limit, "x"));
    CHECK(younger.enter() == entrance::entered);
    CHECK(older.enter() == entrance::full);
    CHECK(younger.self->pushes == 0);
}

TEST_CASE("all keys together have a bound, also where one pushes another out")
{
    waiting_room room(2);
    auto const limit = limit_with_queue(1, queue_order::newest_first);
    visit a(room, claim_of(limit, "x")), b(room, claim_of(limit, "y")), c(room, claim_of(limit, "z")),
        d(room, claim_of(limit, "x"));
    CHECK(a.enter() == entrance::entered);
    CHECK(b.enter() == entrance::entered);
    CHECK(c.enter() == entrance::full);
    CHECK(d.enter() == entrance::entered);
    CHECK(a.self->pushes == 1);
    CHECK(room.waiting() == 2);
}

TEST_CASE("a permit given back between the question and the entrance is not missed")
{
    waiting_room room(100);
    auto const limit = limit_with_queue(3);
    visit late(room, claim_of(limit, "x"));
    room.released(late.asked.key);
    CHECK(late.enter() == entrance::entered);
    CHECK(late.self->calls == 1);
}

TEST_CASE("who finds the queue full, or came behind others, is told what the limit said last")
{
    waiting_room room(100);
    auto const limit = limit_with_queue(2);
    visit a(room, claim_of(limit, "x")), b(room, claim_of(limit, "x")), c(room, claim_of(limit, "x"));
    auto const told = [](std::int64_t retry) {
        return last_refusal{
            .decision = {.allowed = false, .retry_after = seconds(retry)}, .by = answerer::memory, .at = {}, .heard = {}};
    };
    CHECK(room.enter(a.asked, a.who, told(7)) == entrance::entered);
    CHECK(b.enter_behind() == entrance::entered);
    CHECK(b.who.refusal.decision.retry_after == seconds(7));
    CHECK(room.enter(a.asked, a.who, told(5)) == entrance::entered); // asked again: it stays where it is
    CHECK(room.waiting() == 2);
    CHECK(c.enter_behind() == entrance::full);
    CHECK(c.who.refusal.decision.retry_after == seconds(5));
    b.leave();
    CHECK(b.who.refusal.decision.retry_after == seconds(5));
}

TEST_CASE("a reload that turns the order calls whoever is next now")
{
    waiting_room room(100);
    auto const before = limit_with_queue(9, queue_order::newest_first);
    auto const after = limit_with_queue(9, queue_order::oldest_first);
    visit a(room, claim_of(before, "x")), b(room, claim_of(before, "x")), c(room, claim_of(after, "x"));
    a.enter();
    b.enter();
    CHECK(c.enter() == entrance::entered);
    CHECK(a.self->calls == 1);
    CHECK(b.has_ahead());
}

TEST_CASE("who waits for old numbers stands in nobody's way after a reload, and both are called")
{
    waiting_room room(100);
    auto const before = limit_with_queue(9, queue_order::oldest_first);
    auto after = before;
    after.quota.algorithm = concurrency{.limit = 50};
    visit a(room, claim_of(before, "x")), b(room, claim_of(after, "x")), c(room, claim_of(after, "x"));
    a.enter();
    CHECK_FALSE(b.has_ahead());
    CHECK(b.enter() == entrance::entered); // its own numbers have refused it too
    CHECK(c.has_ahead());
    room.released(a.asked.key);
    CHECK(a.self->calls == 1);
    CHECK(b.self->calls == 1);
}

TEST_CASE("shadow limits, limits without a queue and claims without cost let nobody wait")
{
    waiting_room room(100);
    auto const limit = limit_with_queue(3);
    visit first(room, claim_of(limit, "x"));
    first.enter();
    auto shadow = limit;
    shadow.enforce = enforcement::shadow;
    auto no_queue = limit;
    no_queue.queue.limit = 0;
    CHECK_FALSE(visit(room, claim_of(shadow, "x")).has_ahead());
    CHECK_FALSE(visit(room, claim_of(no_queue, "x")).has_ahead());
    CHECK_FALSE(visit(room, claim_of(limit, "x", 0)).has_ahead());
    CHECK(visit(room, claim_of(limit, "x")).has_ahead());
}

// A request with a thread of its own.
class sleeper final : public waiter {
public:
    void call(reason why) noexcept override
    {
        std::lock_guard const held{mutex_};
        called_ = true;
        pushed_out_ = pushed_out_ || why == reason::pushed_out;
        awake_.notify_one();
    }
    // False when pushed out.
    bool sleep()
    {
        std::unique_lock held{mutex_};
        awake_.wait(held, [this] { return called_; });
        called_ = false;
        return !pushed_out_;
    }

private:
    std::mutex mutex_;
    std::condition_variable awake_;
    bool called_ = false;
    bool pushed_out_ = false;
};

TEST_CASE("several threads: every waiter is called in the end, and the permits are never overdrawn")
{
    constexpr int threads = 6;
    constexpr int requests = 400;
    for (auto const order : {queue_order::oldest_first, queue_order::newest_first}) {
        waiting_room room(100);
        auto const limit = limit_with_queue(3, order);
        auto const asked = claim_of(limit, "x");
        std::atomic<int> free{2};
        std::atomic<int> served{0};
        std::atomic<int> refused{0};
        auto const take = [&free] {
            auto seen = free.load();
            while (seen > 0) {
                if (free.compare_exchange_weak(seen, seen - 1)) return true;
            }
            return false;
        };
        // True if admitted.
        auto const visit_once = [&] {
            visitor who{.number = room.arrive(), .releases_seen = 0, .who = nullptr, .refusal = {}};
            auto const self = std::make_shared<sleeper>();
            who.who = self;
            for (;;) {
                if (!room.find_ahead({&asked, 1}, who.number)) {
                    who.releases_seen = room.releases();
                    if (take()) break;
                    if (room.enter(asked, who, {}) == entrance::full) return false;
                } else if (auto const came_to = room.enter_behind(asked, who); came_to == entrance::full) {
                    return false;
                } else if (came_to == entrance::nobody_ahead) {
                    continue;
                }
                if (!self->sleep()) return false;
            }
            room.leave(asked, who);
            return true;
        };
        std::vector<std::thread> all;
        for (int i = 0; i < threads; ++i) {
            all.emplace_back([&] {
                for (int n = 0; n < requests; ++n) {
                    if (!visit_once()) {
                        ++refused;
                        continue;
                    }
                    std::this_thread::yield(); // holding the permit
                    ++served;
                    ++free;
                    room.released(asked.key);
                }
            });
        }
        for (auto& each : all) each.join();
        CHECK(served + refused == threads * requests);
        CHECK(served > 0);
        CHECK(free == 2);
        CHECK(room.waiting() == 0);
    }
}

} // namespace
} // namespace penstock::limiter
