// simulate [SECONDS [SEED]]: a fleet of gateways in virtual time under several kinds of traffic, decided by Penstock's own code
// and by models of what others do. Prints a table in Markdown; docs/simulation.md says how to read it. Exit 1 if a form that must
// never admit too much did.
#include "bench/simulate/peers.hpp"
#include "bench/simulate/strategies.hpp"

#include <cstdio>
#include <cstdlib>

namespace {

using namespace penstock::simulate;

struct contender {
    char const* name;
    strategy_maker make;
    bool never_over;
};

struct scenario {
    char const* name;
    settings wanted;
};

std::vector<scenario> scenarios(double seconds, std::uint64_t seed)
{
    settings hot;
    hot.seconds = seconds;
    hot.seed = seed;
    auto on_off = hot;
    on_off.on_off = true;
    on_off.burst_seconds = 0.25;
    auto lossy = hot;
    lossy.loss = 0.01;
    auto zipf = hot;
    zipf.keys = 100'000;
    zipf.limit_of_demand = {0.5, 0.9, 1.0, 1.5, 3.0};
    zipf.burst_seconds = 2;
    auto steep = zipf;
    steep.zipf = 1.2;
    auto few = steep;
    few.gateways = 4;
    auto many = steep;
    many.gateways = 100;
    auto hot_for_many = hot;
    hot_for_many.gateways = 100;
    // As many requests in all as the others have.
    auto busy = many;
    busy.requests_a_second *= 5;
    busy.seconds /= 5;
    auto far = steep;
    far.delay_us = 20'000;
    return {{"one hot key at twice its limit", hot},
            {"the same, 1 % of messages lost", lossy},
            {"the same key, a second on and a second off", on_off},
            {"100,000 keys, Zipf 1.0", zipf},
            {"100,000 keys, Zipf 1.2", steep},
            {"the same keys, 4 gateways", few},
            {"the same keys, 100 gateways", many},
            {"the same, 1,000,000 requests a second for a fifth of the time", busy},
            {"one hot key at twice its limit, 100 gateways", hot_for_many},
            {"100,000 keys, Zipf 1.2, 20 gateways, Redis 20 ms away", far}};
}

} // namespace

int main(int count, char** words)
{
    auto const seconds = count > 1 ? std::strtod(words[1], nullptr) : 10;
    auto const seed = count > 2 ? std::strtoull(words[2], nullptr, 10) : 1;
    std::vector<contender> const contenders = {
        {"exact", make_exact, true},
        {"exact, denials remembered", make_remembering, true},
        {"leased", make_leased, true},
        {"sharded in 4, denials remembered", make_sharded, true},
        {"peer: counters of each gateway", make_counters_of_each_gateway, false},
        {"peer: static split", make_static_split, false},
        {"peer: exchange every 100 ms", make_exchange_every_100_ms, false},
        {"peer: exchange every second", make_exchange_every_second, false},
        {"peer: window in the store, over-limit remembered", make_window_in_the_store, false},
    };
    auto kept = true;
    for (auto const& [name, wanted] : scenarios(seconds, seed)) {
        std::printf("\n**%s**\n\n| | calls a decision | over %% | unused %% | worst interval, %% of the burst |\n"
                    "| --- | ---: | ---: | ---: | ---: |\n",
                    name);
        for (auto const& one : contenders) {
            world fleet(wanted);
            auto const got = fleet.run(one.make);
            std::printf("| %s | %.4f | %.3f | %.2f | %.1f |\n", one.name, got.calls_a_decision, 100 * got.over,
                        100 * got.unused, 100 * got.worst_interval);
            std::fflush(stdout);
            if (one.never_over && got.worst_interval > 0) kept = false;
        }
    }
    return kept ? 0 : 1;
}
