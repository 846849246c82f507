// What `on_store_failure: local` asks of a real Redis: who is alive, and to be charged afterwards for what was admitted without it.
#include "limiter/handover.hpp"
#include "limiter/redis/announcement.hpp"
#include "tests/contract/random_limits.hpp"
#include "tests/contract/redis_worker.hpp"
#include "tests/contract/script_caller.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace penstock::tests {
namespace {

using namespace std::chrono_literals;
using limiter::fleet_part;

// Far ahead of the server's own clock, by which keys expire.
constexpr auto begin = base::at_epoch_us(4'000'000'000'000'000);
constexpr auto fleet_key = "rl:{penstock-gateways}";

// Gateways that announce themselves, by a clock of the test's own.
struct announcing {
    redis_server server;
    base::instant now = begin;
    redis_worker worker{settings()};

    announcing() { worker.until_up(); }
    limiter::redis_settings settings()
    {
        auto wanted = settings_for(server);
        wanted.test_clock = &now;
        return wanted;
    }
    fleet_part announce(std::int64_t id)
    {
        std::optional<base::result<fleet_part>> told;
        worker.store().call({.what = &limiter::redis::scripts::announce,
                             .key = fleet_key,
                             .arguments = limiter::redis::pack_announcement(id, 5s),
                             .done = [&told](base::result<limiter::redis::reply> const& answer) {
                                 told = answer ? limiter::redis::decode_announcement(*answer) : answer.error();
                             }});
        worker.run_until([&] { return told.has_value(); });
        return told->value();
    }
};

// One limit of the fleet, with what belongs to it.
limiter::policy fleet_wide(limiter::algorithm const& how)
{
    limiter::policy made;
    made.name = "k";
    made.quota.algorithm = how;
    made.scope = limiter::scope::fleet;
    return made;
}

} // namespace

TEST_CASE_FIXTURE(announcing, "gateways that announce themselves are counted, in one order for all, until they fall silent")
{
    CHECK(announce(500) == fleet_part{.gateways = 1, .place = 0});
    CHECK(announce(7) == fleet_part{.gateways = 2, .place = 0});
    CHECK(announce(9'007'199'254'740'991) == fleet_part{.gateways = 3, .place = 2});
    CHECK(announce(500) == fleet_part{.gateways = 3, .place = 1});
    now += 4s;
    CHECK(announce(500) == fleet_part{.gateways = 3, .place = 1});
    now += 1s;
    CHECK(announce(500) == fleet_part{.gateways = 1, .place = 0});
}

TEST_CASE_FIXTURE(announcing, "nobody outlives a clock that was set back, and the key expires with the last of them")
{
    CHECK(announce(1) == fleet_part{.gateways = 1, .place = 0});
    now -= 3600s;
    CHECK(announce(2) == fleet_part{.gateways = 2, .place = 1});
    now += 5s;
    CHECK(announce(2) == fleet_part{.gateways = 1, .place = 0});
    CHECK(server.command({"PEXPIRETIME", fleet_key}) == std::to_string(base::since_epoch_us(now + 5s) / 1000 + 1));
}

TEST_CASE_FIXTURE(announcing, "hundreds of gateways that come, go and see the clock set back are counted one by one")
{
    std::mt19937 random(7);
    std::map<std::int64_t, base::instant> lapses; // by gateway
    std::size_t most = 0;
    for (int step = 0; step < 3000; ++step) {
        CAPTURE(step);
        now += base::micros{std::uniform_int_distribution{0, 20'000}(random)};
        if (step % 300 == 299) now += std::uniform_int_distribution{-20, 5}(random)*1s;
        auto const id = std::uniform_int_distribution<std::int64_t>{1, 400}(random);
        std::erase_if(lapses, [this](auto const& one) { return one.second <= now; });
        for (auto& [gateway, until] : lapses) until = std::min(until, now + 5s);
        lapses[id] = now + 5s;
        auto const lower = std::distance(lapses.begin(), lapses.find(id));
        REQUIRE(announce(id) ==
                fleet_part{.gateways = static_cast<unsigned>(lapses.size()), .place = static_cast<unsigned>(lower)});
        most = std::max(most, lapses.size());
    }
    CHECK(most > 150);
}

TEST_CASE_FIXTURE(announcing, "what no gateway wrote counts as nobody")
{
    server.command({"SET", fleet_key, "sixteen bytes ..."});
    CHECK(announce(1) == fleet_part{.gateways = 1, .place = 0});
    server.command({"SET", fleet_key, std::string(32, '\xff')});
    CHECK(announce(1) == fleet_part{.gateways = 1, .place = 0});
    server.command({"DEL", fleet_key});
    server.command({"RPUSH", fleet_key, "x"});
    CHECK(announce(1) == fleet_part{.gateways = 1, .place = 0});
    CHECK(announce(2) == fleet_part{.gateways = 2, .place = 1});
}

TEST_CASE("a reply that is none is refused")
{
    using limiter::redis::reply;
    std::string const short_one(16, '\0');
    std::string const nobody(24, '\0');
    auto const reason = [](reply::type kind, std::string_view text) {
        return limiter::redis::decode_announcement({.kind = kind, .text = text, .size = text.size()}).error();
    };
    CHECK(reason(reply::type::bulk, short_one) == limiter::make_error_code(limiter::errc::protocol));
    CHECK(reason(reply::type::bulk, nobody) == limiter::make_error_code(limiter::errc::protocol));
    CHECK(reason(reply::type::other, "") == limiter::make_error_code(limiter::errc::protocol));
    CHECK(reason(reply::type::error, "NOPERM x") == limiter::make_error_code(limiter::errc::refused_login));
}

TEST_CASE("charged afterwards, every algorithm's counter in Redis is what the same charges make of it here, to the bit")
{
    redis_server const server;
    script_caller redis{server};
    auto const seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    auto const days = short_days(begin, 2s);
    for (int round = 0; round < 300; ++round) {
        auto const which = static_cast<std::size_t>(round) % (algorithm_count - 1); // held permits are announced instead
        auto const policy = fleet_wide(random_limit(random, which, days));
        CAPTURE(round);
        CAPTURE(algorithm_names[which]);
        limiter::memory_store here{{.max_keys = 100, .clock_may_step = true}};
        limiter::claim one;
        one.policy = &policy;
        one.key.append("rl:{" + std::to_string(round) + "}:k");
        auto now = begin + base::micros{static_cast<std::int64_t>(random() % 1'000'000)};
        auto const look = [&](auto& store) {
            auto looking = one;
            looking.cost = 0;
            return store.acquire({&looking, 1}, now).decisions[0];
        };
        for (int step = 0; step < 12; ++step) {
            CAPTURE(step);
            now += base::micros{static_cast<std::int64_t>(random() % 3'000'000)};
            if (random() % 2 == 0) {
                here.acquire({&one, 1}, now);
                redis.acquire({&one, 1}, now);
            } else {
                auto const fits = look(here).remaining;
                auto owed = one;
                owed.times = static_cast<std::uint32_t>(
                    2 + random() % static_cast<std::uint64_t>(std::min<std::int64_t>(fits, 1'000'000) + 3));
                auto charged = one;
                charged.cost = std::min<std::int64_t>(owed.times, fits);
                if (charged.cost > 0) here.acquire({&charged, 1}, now);
                CHECK(redis.acquire({&owed, 1}, now).granted == charged.cost);
            }
            CHECK(look(redis) == look(here));
        }
    }
}

TEST_CASE("through a store of its own: an outage's charges reach Redis, in front of the request that follows")
{
    redis_server server;
    redis_worker worker{settings_for(server)};
    worker.until_up();
    limiter::memory_store memory{{.max_keys = 100}};
    limiter::stand_in local{memory};
    limiter::handover telling{worker.store(), local};
    auto const policy = fleet_wide(*limiter::make_fixed_window(20, 3600s));
    limiter::claim one;
    one.policy = &policy;
    one.key.append("rl:{x}:k:fw3600s");
    REQUIRE(worker.ask({&one, 1})->decisions[0].remaining == 19);
    for (int i = 0; i < 30; ++i) local.acquire({&one, 1}, base::clock::now());
    CHECK(local.count().owed == 1);
    telling.before({&one, 1}, base::clock::now());
    CHECK(worker.ask({&one, 1})->decisions[0].remaining == 19 - 10 - 1); // half of the share of the only gateway
    CHECK(local.count().owed == 0);
    CHECK(local.count().handed_over == 10);
}

TEST_CASE("a permit granted without Redis is held there as soon as it can be told, until it is given back")
{
    redis_server server;
    redis_worker worker{settings_for(server)};
    redis_worker other{settings_for(server)};
    worker.until_up();
    other.until_up();
    auto const policy = fleet_wide(limiter::concurrency{3});
    limiter::claim one;
    one.policy = &policy;
    one.key.append("rl:{everyone}:k:cc");
    auto const free = [&]() -> std::int64_t {
        auto look = one;
        look.cost = 0;
        auto const said = other.ask({&look, 1});
        return said ? said->decisions[0].remaining : -1;
    };
    SUBCASE("on a connection that stays") {}
    SUBCASE("over a connection that is lost")
    {
        auto const connects = worker.store().count().connects;
        server.command({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
        worker.run_until([&] { return !worker.store().count().up || worker.store().count().connects > connects; });
    }
    worker.store().hold(one);
    worker.store().hold(one);
    worker.run_until([&] { return free() == 1; });
    worker.store().give_back(one, {.cost = 1, .at = base::clock::now(), .reset_after = {}});
    worker.run_until([&] { return free() == 2; });
    worker.store().give_back(one, {.cost = 1, .at = base::clock::now(), .reset_after = {}});
    worker.run_until([&] { return free() == 3; });
}

} // namespace penstock::tests
