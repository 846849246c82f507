// The room under random schedules: bounded, in order, and nobody waits for what it could have.
#include "tests/unit/limiter/room_visit.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace penstock::limiter {
namespace {

using tests::claim_of;
using tests::entrance;
using tests::limit_with_queue;
using tests::visit;

// Requests for permits of a few keys, each one behaving as gateway/queueing does; the permits are the test's.
class world {
public:
    static constexpr std::int64_t most_permits = 3;
    static constexpr std::int64_t most_queued = 4;
    static constexpr std::size_t most_waiters = 9;

    world(queue_order order, std::uint64_t seed) : limit_(limit_with_queue(most_queued, order)), engine_(seed) {}

    void step()
    {
        auto const roll = below(10);
        if (roll < 5)
            arrive();
        else if (roll < 8)
            finish_one();
        else if (!waiting_.empty())
            drop(waiting_[below(waiting_.size())]); // its client leaves, or its time is over
        settle();
        check();
    }

    void finish()
    {
        while (!holding_.empty()) {
            finish_one();
            settle();
            check();
        }
        CHECK(waiting_.empty());
        CHECK(room_.waiting() == 0);
    }

private:
    using request = std::shared_ptr<visit>;

    std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>{0, n - 1}(engine_); }
    std::string identity() { return std::string(1, static_cast<char>('a' + below(4))); }
    std::int64_t& held(request const& one) { return held_[std::string(one->asked.key.view())]; }

    void arrive()
    {
        auto const one =
            std::make_shared<visit>(room_, claim_of(limit_, identity(), static_cast<std::int64_t>(1 + below(most_permits))));
        if (one->has_ahead()) {
            if (one->enter_behind() == entrance::entered) waiting_.push_back(one);
            return;
        }
        ask(one);
    }

    void ask(request const& one)
    {
        one->who.releases_seen = room_.releases();
        if (held(one) + one->asked.cost <= most_permits) return admit(one);
        if (below(8) == 0) finish_one(); // while the answer is on its way
        auto const is_in = std::ranges::find(waiting_, one) != waiting_.end();
        if (one->enter() == entrance::entered && !is_in) waiting_.push_back(one);
    }

    void admit(request const& one)
    {
        for (auto const& each : waiting_) { // nobody is overtaken
            if (each == one || each->asked.key != one->asked.key || each->self->pushes != 0) continue;
            CHECK((limit_.queue.order == queue_order::oldest_first) == (each->who.number > one->who.number));
        }
        held(one) += one->asked.cost;
        holding_.push_back(one);
        if (std::erase(waiting_, one) != 0) one->leave();
    }

    void drop(request one)
    {
        std::erase(waiting_, one);
        one->leave();
    }

    void finish_one()
    {
        if (holding_.empty()) return;
        auto const at = holding_.begin() + static_cast<std::ptrdiff_t>(below(holding_.size()));
        auto const one = *at;
        holding_.erase(at);
        held(one) -= one->asked.cost;
        room_.released(one->asked.key);
    }

    // Everybody who is called looks; in any order.
    void settle()
    {
        auto const is_called = [](request const& one) { return one->self->calls + one->self->pushes != 0; };
        for (;;) {
            std::vector<request> called;
            std::ranges::copy_if(waiting_, std::back_inserter(called), is_called);
            if (called.empty()) return;
            auto const one = called[below(called.size())];
            if (one->self->pushes != 0) {
                drop(one);
                continue;
            }
            one->self->calls = 0;
            if (!one->has_ahead()) ask(one);
        }
    }

    void check()
    {
        std::map<std::string, std::int64_t> queued;
        std::map<std::string, request> next;
        for (auto const& each : waiting_) {
            auto const key = std::string(each->asked.key.view());
            queued[key] += each->asked.cost;
            if (!each->has_ahead()) {
                CHECK_MESSAGE(!next[key], "two are next");
                next[key] = each;
            }
        }
        CHECK(room_.waiting() == waiting_.size());
        CHECK(waiting_.size() <= most_waiters);
        for (auto const& [key, permits] : queued) {
            CHECK(permits <= most_queued);
            REQUIRE(next[key]);
            CHECK(held_[key] + next[key]->asked.cost > most_permits); // nobody waits for what it could have
        }
    }

    policy limit_;
    waiting_room room_{most_waiters};
    std::mt19937_64 engine_;
    std::vector<request> waiting_;
    std::vector<request> holding_;
    std::map<std::string, std::int64_t> held_;
};

TEST_CASE("random arrivals, leaves and releases: bounded, in order, and nobody waits in vain")
{
    for (auto const order : {queue_order::oldest_first, queue_order::newest_first}) {
        for (std::uint64_t seed = 1; seed <= 60; ++seed) {
            CAPTURE(seed);
            CAPTURE(static_cast<int>(order));
            world one(order, seed);
            for (int i = 0; i < 400; ++i) one.step();
            one.finish();
        }
    }
}

} // namespace
} // namespace penstock::limiter
