// A worker's pipeline and book of permits against a Redis of the test's own, over random histories: requests that come, time
// out and end, replies that are late or lost, connections that break, errors, scripts that are forgotten.
#include "limiter/redis/permit_book.hpp"
#include "limiter/redis/pipeline.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <map>
#include <random>

namespace penstock::limiter::redis {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t limit = 4;
constexpr reply forgotten{reply::type::error, "NOSCRIPT No matching script. Please use EVAL.", 45};
constexpr reply full{reply::type::error, "OOM command not allowed", 23};

// What lua/lib/concurrency.lua does, for one key.
class counted {
public:
    bool ask(holding const& by, std::int64_t cost, base::instant now)
    {
        std::erase_if(holders_, [now](auto const& each) { return each.second.lapses <= now; });
        auto const total = held(now);
        auto& mine = holders_[by.holder];
        auto const others = total - mine.permits;
        mine.permits = std::max(mine.permits, by.held);
        auto const fits = cost <= std::max<std::int64_t>(limit - others - mine.permits, 0);
        if (fits) mine = {std::max<std::int64_t>(mine.permits + cost, 0), now + permit_lapse};
        if (mine.permits == 0) holders_.erase(by.holder);
        return fits;
    }
    [[nodiscard]] std::int64_t held(base::instant now) const
    {
        std::int64_t sum = 0;
        for (auto const& [holder, its] : holders_)
            if (its.lapses > now) sum += its.permits;
        return sum;
    }

    [[nodiscard]] std::int64_t held_by(std::int64_t holder) const
    {
        auto const found = holders_.find(holder);
        return found == holders_.end() ? 0 : found->second.permits;
    }

private:
    struct count {
        std::int64_t permits = 0;
        base::instant lapses;
    };
    std::map<std::int64_t, count> holders_;
};

struct person final : waiter {
    person() noexcept : waiter(got) {}
    void wake(resumption) override {}
    base::result<verdict> got{errc::not_connected};
    claim asked;
};

class history {
public:
    explicit history(std::uint64_t seed) : random_(seed)
    {
        numbers_.quota.algorithm = concurrency{limit};
        key_.append("rl:{x}:cc");
        book_.begin(++holder_, now_);
    }

    void step()
    {
        switch (pick(12)) {
        case 0:
        case 1:
        case 2: ask(); break;
        case 3:
        case 4: end_one(); break;
        case 5: expire(); break;
        case 6: now_ += base::micros{pick(400'000)}; break;
        case 7:
            if (pick(8) == 0) break_connection();
            break;
        case 8:
            if (pick(8) == 0) script_known_ = false;
            break;
        default: answer(pick(30) == 0 ? &full : nullptr); break;
        }
        tell();
        // The one promise that must never be broken: what lives is counted, so that no more can be granted.
        CHECK(living() <= limit);
    }

    // Everything under way is answered, and two renewals later Redis counts exactly what lives: had it forgotten, it has been
    // told again; had it counted too much, renewing would keep that for ever.
    void settle()
    {
        drain();
        for (int i = 0; i < 2; ++i) {
            now_ += permit_book::renewal_interval;
            drain();
        }
        CHECK(pending_.empty());
        CHECK(redis_.held_by(holder_) == living());
    }
    void everybody_leaves()
    {
        while (living() > 0) end_one();
    }
    [[nodiscard]] bool quiet() const { return !book_.next_due().has_value(); }
    [[nodiscard]] std::int64_t counted_by_redis() const { return redis_.held(now_); }
    [[nodiscard]] std::int64_t living() const { return static_cast<std::int64_t>(living_.size()); }

private:
    // One command as it travels: how the script is told, and what it is asked.
    struct command {
        holding by;
        std::int64_t cost;
        calling how;
    };

    std::int64_t pick(std::int64_t below) { return std::uniform_int_distribution<std::int64_t>(0, below - 1)(random_); }
    [[nodiscard]] permits of(std::int64_t count) const { return {key_, limit, count}; }

    void ask()
    {
        if (pending_.full()) return;
        auto& who = people_.emplace_back(std::make_unique<person>());
        who->asked.policy = &numbers_;
        who->asked.key = key_;
        who->asked.cost = 1 + pick(2);
        send({.asked = {&who->asked, 1}, .deadline = now_ + base::micros{pick(300'000)}, .who = who.get()}, {});
    }
    void send(pipeline::item next, command what)
    {
        if (!next.call) what = {book_.holding_of(key_.view()), next.asked.front().cost, next.how};
        sent_.push_back(what);
        pending_.push(std::move(next));
    }
    void tell()
    {
        while (!pending_.full_of_calls()) {
            auto const next = book_.next(now_);
            if (!next) break;
            auto call = std::make_unique<background_call>();
            call->what = &scripts::acquire;
            auto const told = *next;
            call->done = [this, told](base::result<reply> const& got) {
                if (!got) book_.failed(told, now_);
            };
            auto const how = std::exchange(first_, false) ? calling::by_text : calling::by_digest;
            send({.deadline = now_, .call = std::move(call), .how = how}, {told.holder, -told.what.count, how});
        }
    }
    void drain()
    {
        tell();
        while (!sent_.empty()) {
            answer(nullptr);
            tell();
        }
    }
    void end_one()
    {
        if (living_.empty()) return;
        auto const at = living_.begin() + pick(living());
        book_.give_back(of(1));
        living_.erase(at);
    }
    void expire() { pending_.expire(now_); }

    // Redis runs the oldest command and the worker sees its reply.
    void answer(reply const* instead)
    {
        if (sent_.empty()) return;
        auto const asked = sent_.front();
        sent_.pop_front();
        if (asked.how == calling::by_text) script_known_ = true;
        auto const known = script_known_;
        auto granted = false;
        if (known && !instead) granted = redis_.ask(asked.by, asked.cost, now_);
        std::array<std::int64_t, 6> const words{1, granted, granted, 0, 0, granted ? 0 : 1};
        std::array<char, sizeof words> bytes;
        std::memcpy(bytes.data(), words.data(), sizeof words);
        reply const said{reply::type::bulk, {bytes.data(), bytes.size()}, bytes.size()};
        auto const& seen = !known ? forgotten : instead ? *instead : said;
        auto taken = pending_.take(seen);
        switch (taken.what) {
        case pipeline::step::unasked: FAIL("out of step"); break;
        case pipeline::step::late:
            for (auto const& each : pipeline::granted_late(taken.item, seen)) book_.owe(each, now_);
            break;
        case pipeline::step::send_again: {
            auto again = asked;
            again.how = taken.item.how;
            if (taken.item.call && asked.cost == 0) again.by = book_.holding_of(key_.view());
            send(std::move(taken.item), again);
            break;
        }
        case pipeline::step::done:
            if (seen.kind == reply::type::error)
                taken.item.call->done(errc::out_of_memory);
            else
                taken.item.call->done(seen);
            break;
        case pipeline::step::answered:
            if (!granted) break;
            book_.take(of(taken.item.asked.front().cost), now_);
            for (std::int64_t i = 0; i < taken.item.asked.front().cost; ++i) living_.push_back(0);
            break;
        }
    }
    // Redis may have run some of what was sent; nobody learns of it.
    void break_connection()
    {
        for (auto run = pick(static_cast<std::int64_t>(sent_.size()) + 1); run > 0; --run) {
            if (script_known_) redis_.ask(sent_.front().by, sent_.front().cost, now_);
            sent_.pop_front();
        }
        sent_.clear();
        auto const ended = pending_.fail_all(errc::not_connected);
        for (auto const& each : ended.in_doubt) book_.owe(each, now_);
        for (auto const& each : ended.calls) each->done(errc::not_connected);
        for (auto left = pick(3); left > 0; --left) end_one(); // without a connection
        book_.begin(++holder_, now_);
        first_ = true;
        tell();
        first_ = false;
    }

    std::mt19937_64 random_;
    base::instant now_ = base::at_epoch_us(1'000'000'000);
    policy numbers_;
    partition::partition_key key_;
    std::int64_t holder_ = 0;
    permit_book book_;
    pipeline pending_{16};
    std::deque<command> sent_;
    std::vector<std::unique_ptr<person>> people_;
    std::vector<char> living_; // one for each permit of a request that lives
    counted redis_;
    bool script_known_ = false;
    bool first_ = false; // of a connection, which loads the script
};

} // namespace

TEST_CASE("in every history no more permits live than the limit, and in the end none is held")
{
    for (std::uint64_t seed = 1; seed <= 400; ++seed) {
        CAPTURE(seed);
        history one(seed);
        for (int round = 0; round < 8; ++round) {
            for (int i = 0; i < 60; ++i) one.step();
            one.settle();
        }
        one.everybody_leaves();
        one.settle();
        one.settle(); // twice is longer than a lapse: what a lost connection left is gone
        CHECK(one.quiet());
        CHECK(one.counted_by_redis() == 0);
    }
}

} // namespace penstock::limiter::redis
