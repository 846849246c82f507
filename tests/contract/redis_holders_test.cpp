// A concurrency limit whose permits are held by many workers at once: lua/lib/concurrency.lua over random histories against a
// table of holders, kept entry by entry. Lapses, clocks that are set back and lost entries among them.
#include "tests/contract/redis_worker.hpp"
#include "tests/contract/script_caller.hpp"

#include <doctest/doctest.h>

#include <array>
#include <map>
#include <random>

namespace penstock::tests {
namespace {

using namespace std::chrono_literals;
using limiter::redis::holding;
using limiter::redis::permit_lapse;

// Far ahead of the server's own clock, by which keys expire.
constexpr auto begin = base::at_epoch_us(4'000'000'000'000'000);
constexpr std::int64_t limit = 400;

// What the key is to hold, and what each call is to be answered.
class table {
public:
    limiter::decision ask(holding const& by, std::int64_t cost, base::instant now)
    {
        auto const latest = now + permit_lapse;
        std::map<std::int64_t, entry> alive;
        auto ahead = false;
        for (auto const& [holder, is] : entries_) {
            if (is.lapses <= now) continue;
            ahead = ahead || is.lapses > latest;
            alive[holder] = {is.permits, std::min(is.lapses, latest)};
        }
        auto const entered = alive.contains(by.holder) ? alive[by.holder].permits : 0;
        if (ahead) {
            entries_ = alive;
            if (entered > 0) entries_[by.holder].lapses = latest;
        }
        alive.erase(by.holder);
        std::int64_t others = 0;
        for (auto const& [holder, is] : alive) others += is.permits;
        auto mine = std::max(entered, by.held);

        limiter::decision said;
        said.remaining = std::max<std::int64_t>(limit - others - mine, 0);
        said.allowed = cost <= said.remaining;
        if (!said.allowed || (cost == 0 && by.held == 0)) return said;
        mine = std::max<std::int64_t>(mine + cost, 0);
        said.remaining = std::max<std::int64_t>(limit - others - mine, 0);
        entries_ = alive;
        if (mine > 0) entries_[by.holder] = {mine, latest};
        return said;
    }
    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

private:
    struct entry {
        std::int64_t permits = 0;
        base::instant lapses{};
    };
    std::map<std::int64_t, entry> entries_; // by holder
};

} // namespace

TEST_CASE("of hundreds of holders each keeps its own permits, whatever the others do")
{
    redis_server const server;
    script_caller redis(server);
    table expected;
    std::mt19937 random(5);
    auto const chance = [&](int of) { return std::uniform_int_distribution{1, of}(random) == 1; };
    auto now = begin;
    std::size_t most = 0;
    for (int step = 0; step < 20'000; ++step) {
        CAPTURE(step);
        now += base::micros{std::uniform_int_distribution{0, 30'000}(random)};
        if (chance(500)) now += std::uniform_int_distribution{1, 6}(random)*1s;
        if (chance(500)) now -= std::uniform_int_distribution{1, 20}(random)*1s;
        if (chance(2000)) server.command({"DEL", "rl:{everyone}:k:cc"});
        auto const lost = server.command({"EXISTS", "rl:{everyone}:k:cc"}) == "0";
        if (lost) expected = {};

        auto const cost = std::array{-1, 0, 1, 1, 1, 1, 3}[std::uniform_int_distribution<std::size_t>{0, 6}(random)];
        holding const by{.holder = std::uniform_int_distribution<std::int64_t>{1, 300}(random),
                         .held = cost < 0 ? 0 : std::uniform_int_distribution<std::int64_t>{0, 2}(random)};
        one_claim const one(limiter::concurrency{limit}, "rl:{everyone}:k:cc", cost);
        auto const answer = redis.acquire(one.view(), now, {&by, 1});
        auto const should = expected.ask(by, cost, now);
        REQUIRE(answer.decisions[0].allowed == should.allowed);
        REQUIRE(answer.decisions[0].remaining == should.remaining);
        most = std::max(most, expected.size());
    }
    CHECK(most > 100);
}

} // namespace penstock::tests
