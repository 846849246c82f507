// What a decision costs inside Redis: the scripts of lua/ against a naive script (HMGET, HSET, EXPIRE, TIME; one call per
// limit), for each algorithm, in one run, on a redis-server of its own. Prints decisions per second of wall-clock time and of
// Redis' own CPU time (which other programs disturb less), bytes in and out, bytes per key, bytes sent to a replica; and what
// grows with the fleet: connections, gateways, holders of permits, keys.
//   script_bench [decisions per round] [rounds] [keys] [speed|fleet|memory|keys|replication]
#include "bench/script/calls.hpp"
#include "bench/script/load.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace {

using namespace penstock;
using namespace penstock::bench;
using tests::redis_server;
using policies = std::vector<limiter::policy const*>;

struct row {
    char const* name;
    limiter::policy const& policy;
};

std::vector<row> admitting(limits const& of)
{
    return {{"token bucket", of.whole},
            {"token bucket, fractional interval", of.rational},
            {"token bucket, periodic", of.periodic},
            {"fixed window", of.window},
            {"fixed window, clock", of.clock},
            {"fixed window, calendar", of.calendar},
            {"sliding window, 6 segments", of.sliding},
            {"sliding window counter", of.counter},
            {"sliding log", of.log},
            {"concurrency", of.held}};
}

std::vector<row> refusing(limits const& of)
{
    return {{"token bucket, refused", of.tiny},
            {"sliding window, refused", of.tiny_sliding},
            {"sliding window counter, refused", of.tiny_counter},
            {"sliding log of 100, refused", of.tiny_log}};
}

constexpr char const* naive_one = "naive, 1 limit";
constexpr char const* naive_three = "naive, 3 limits in 3 calls";

class script_bench {
public:
    script_bench(std::size_t decisions, std::size_t rounds) : decisions_(decisions), rounds_(rounds)
    {
        naive_ = server_.command({"SCRIPT", "LOAD", std::string(naive_text)});
        for (auto const* script :
             {&limiter::redis::scripts::acquire, &limiter::redis::scripts::lease, &limiter::redis::scripts::announce})
            server_.command({"SCRIPT", "LOAD", std::string(script->text)});
    }

    void speed()
    {
        std::vector<workload> loads;
        add_naive(loads);
        for (auto const& row : admitting(limit_)) loads.push_back(one_of(row.name, naive_one, {&row.policy}));
        for (auto const& row : refusing(limit_)) loads.push_back(one_of(row.name, naive_one, {&row.policy}));
        loads.push_back({"concurrency, taken and given back", naive_one, 2, repeated([](std::size_t caller) {
                             auto const key = key_name(caller, "a");
                             return std::vector{hold(key, {1, 0}, 1), hold(key, {1, 0}, -1)};
                         })});
        loads.push_back({"token bucket, 20 alike in a call", naive_one, 1,
                         repeated([&](std::size_t caller) { return std::vector{acquire(caller, {&limit_.whole}, 20)}; })});
        loads.push_back({"token bucket, a lease of 50", naive_one, 1,
                         repeated([&](std::size_t caller) { return std::vector{lease(caller, limit_.whole, 50)}; })});
        loads.push_back({"fixed window, a lease of 50", naive_one, 1,
                         repeated([&](std::size_t caller) { return std::vector{lease(caller, limit_.window, 50)}; })});
        loads.push_back(one_of("1 packed bucket of 1", naive_one, {&limit_.packed[0]}));
        // Of callers all of whose buckets are touched, 19 of 20 requests meet one of them only.
        loads.push_back({"1 packed bucket of 3", naive_one, 1, repeated([&](std::size_t caller) {
                             auto calls = std::vector(19, acquire(caller, {&limit_.packed[0]}));
                             calls.push_back(acquire(caller, packed()));
                             return calls;
                         })});
        add_threes(loads);
        print(loads, measure(server_, loads, decisions_, rounds_));
    }

    void fleet()
    {
        std::vector<workload> loads;
        loads.push_back(naive());
        struct spread {
            std::size_t connections;
            std::size_t depth;
        };
        for (auto const [connections, depth] : {spread{4, 32}, spread{40, 8}, spread{400, 1}}) {
            auto load =
                one_of("token bucket, " + std::to_string(connections) + " connections, " + std::to_string(depth) + " in flight",
                       naive_one, {&limit_.whole});
            load.connections = connections;
            load.depth = depth;
            loads.push_back(std::move(load));
        }
        for (std::size_t const gateways : {10, 100, 1000}) {
            workload load{"announcement of one of " + std::to_string(gateways) + " gateways", naive_one, 1, {}};
            for (std::size_t i = 0; i < 20'000; ++i)
                load.commands.push_back(announce(static_cast<std::int64_t>(i % gateways) + 1));
            load.slower = gateways / 5;
            load.first = gateways;
            loads.push_back(std::move(load));
        }
        for (std::size_t const holders : {4, 40, 400}) {
            workload load{"concurrency, " + std::to_string(holders) + " holders of a key", naive_one, 2, {}};
            for (std::size_t i = 0; i < 10'000; ++i) {
                limiter::redis::holding const by{.holder = static_cast<std::int64_t>(i % holders) + 1, .held = 1};
                load.commands.push_back(hold("rl:{everyone}:a", by, 1));
                load.commands.push_back(hold("rl:{everyone}:a", {.holder = by.holder, .held = 0}, -1));
            }
            load.slower = 1 + holders / 10;
            load.first = holders;
            loads.push_back(std::move(load));
        }
        print(loads, measure(server_, loads, decisions_, rounds_));
    }

    // Everything that Redis allocates for a key, by the difference that 125,000 of them make: Redis' hash tables double at
    // powers of two, and this fills them as a million keys does.
    void memory()
    {
        print_memory("naive", [this](std::size_t caller) { return naive_call(caller, "a"); });
        for (auto const& row : admitting(limit_))
            print_memory(row.name, [&row](std::size_t caller) { return acquire(caller, {&row.policy}); });
        auto const several = [this](char const* name, policies const& of) {
            print_memory(name, [&of](std::size_t caller) { return acquire(caller, of); });
        };
        several("3 token buckets, per key of 3", {&limit_.whole, &limit_.whole, &limit_.whole});
        several("3 token buckets, packed in 1 key", packed());
        several("3 fractional ones, packed in 1 key", packed_rational());
    }

    void many_keys(std::size_t keys)
    {
        server_.command({"FLUSHALL"});
        auto const before = server_.info("memory", "used_memory");
        fill(keys, [this](std::size_t caller) { return acquire(caller, {&limit_.lasting}); });
        auto const held = static_cast<double>(server_.info("keyspace", "keys"));
        std::printf("%.0f token buckets: %.1f bytes per key, %.1f resident\n", held,
                    static_cast<double>(server_.info("memory", "used_memory") - before) / held,
                    static_cast<double>(server_.info("memory", "used_memory_rss")) / held);
        std::vector<workload> loads;
        // Each key of the second is met once: the server's caches hold nothing of it.
        for (auto const& [of, calls] : {std::pair{std::size_t{1000}, 20'000UL}, std::pair{keys, 200'000UL}})
            loads.push_back(
                {"token bucket, " + std::to_string(of) + " of them at random", "", 1,
                 repeated([this](std::size_t caller) { return std::vector{acquire(caller, {&limit_.lasting})}; }, of, calls)});
        std::vector<cost> costs;
        for (auto const& load : loads) costs.push_back(measure_once(server_, load, load.commands.size()));
        costs[1].ratio = costs[1].per_second / costs[0].per_second;
        costs[1].cpu_ratio = costs[1].per_cpu_second / costs[0].per_cpu_second;
        print(loads, costs);
    }

    void replication()
    {
        redis_server const replica({"--replicaof", "127.0.0.1 " + std::to_string(server_.port())});
        print_replication("naive", naive_call(1, "n"));
        std::size_t caller = 2;
        for (auto const& row : admitting(limit_)) print_replication(row.name, acquire(caller++, {&row.policy}));
        for (auto const& row : refusing(limit_)) print_replication(row.name, acquire(caller++, {&row.policy}));
        print_replication("3 token buckets", acquire(caller++, {&limit_.whole, &limit_.whole, &limit_.whole}));
        print_replication("3 token buckets, packed", acquire(caller++, packed()));
        print_replication("token bucket, a lease of 50", lease(caller++, limit_.whole, 50));
    }

private:
    policies packed() const { return {&limit_.packed[0], &limit_.packed[1], &limit_.packed[2]}; }
    policies packed_rational() const
    {
        return {&limit_.packed_rational[0], &limit_.packed_rational[1], &limit_.packed_rational[2]};
    }
    std::string naive_call(std::size_t caller, char const* name) const
    {
        return command({"EVALSHA", naive_, "1", key_name(caller, name), "100000000", "1000000", "1"});
    }
    workload naive() const
    {
        return {naive_one, "", 1, repeated([this](std::size_t caller) { return std::vector{naive_call(caller, "a")}; })};
    }
    void add_naive(std::vector<workload>& to) const
    {
        to.push_back(naive());
        to.push_back({naive_three, "", 3, repeated([this](std::size_t caller) {
                          return std::vector{naive_call(caller, "a"), naive_call(caller, "b"), naive_call(caller, "c")};
                      })});
    }
    static workload one_of(std::string name, char const* against, policies const& of)
    {
        return {std::move(name), against, 1, repeated([&of](std::size_t caller) { return std::vector{acquire(caller, of)}; })};
    }
    void add_threes(std::vector<workload>& to) const
    {
        auto const& packs = limit_.packed;
        auto const add = [&to](char const* name, policies const& of) { to.push_back(one_of(name, naive_three, of)); };
        add("3 token buckets", {&limit_.whole, &limit_.whole, &limit_.whole});
        add("3 token buckets, packed", packed());
        add("3 token buckets, fractional", {&limit_.rational, &limit_.rational, &limit_.rational});
        add("3 token buckets, fractional, packed", packed_rational());
        add("3 token buckets, one refuses", {&limit_.whole, &limit_.whole, &limit_.tiny});
        add("3 token buckets, packed, one refuses", {&packs[0], &packs[1], &limit_.packed_tiny});
        add("2 packed buckets, 1 fixed window", {&packs[0], &packs[1], &limit_.window});
        add("2 token buckets, 1 fixed window", {&limit_.whole, &limit_.whole, &limit_.window});
        add("3 limits, one refuses", {&limit_.whole, &limit_.tiny, &limit_.window});
    }

    // Each caller's call once.
    void fill(std::size_t callers, std::function<std::string(std::size_t)> const& frame) const
    {
        constexpr std::size_t portion = 25'600;
        for (std::size_t from = 0; from < callers; from += portion) {
            workload load{"", "", 1, {}};
            for (auto i = from; i < std::min(from + portion, callers); ++i) load.commands.push_back(frame(i));
            run(server_, load, load.commands.size());
        }
    }
    void print_memory(char const* name, std::function<std::string(std::size_t)> const& frame) const
    {
        server_.command({"FLUSHALL"});
        auto const before = server_.info("memory", "used_memory");
        fill(125'000, frame);
        auto const held = static_cast<double>(server_.info("keyspace", "keys"));
        std::printf("%-34s %10.1f bytes per key (%.0f keys, name of %zu bytes)\n", name,
                    static_cast<double>(server_.info("memory", "used_memory") - before) / held, held, key_name(1, "a").size());
    }
    void print_replication(char const* name, std::string const& frame) const
    {
        auto const settled = [this] {
            for (;;) {
                auto const offset = server_.info("replication", "master_repl_offset");
                if (server_.info("replication", "slave0:ip=127.0.0.1,port") == 0) {
                    std::this_thread::yield();
                    continue;
                }
                return offset;
            }
        };
        workload const load{name, "", 1, std::vector<std::string>(20'000, frame)};
        server_.command({"FLUSHALL"}); // what expires meanwhile would be sent too
        run(server_, load, 1000);      // charged to the full
        auto const before = settled();
        constexpr std::size_t decisions = 10'000;
        run(server_, load, decisions);
        std::printf("%-34s %10.2f bytes to a replica per decision\n", name,
                    static_cast<double>(settled() - before) / static_cast<double>(decisions));
    }

    redis_server server_;
    limits limit_;
    std::string naive_;
    std::size_t decisions_;
    std::size_t rounds_;
};

} // namespace

int main(int argc, char** argv)
{
    auto const word = [&](int at, unsigned long otherwise) {
        return argc > at ? std::strtoul(argv[at], nullptr, 10) : otherwise;
    };
    script_bench all(word(1, 100'000), word(2, 5));
    auto const wanted = [&](std::string_view part) { return argc <= 4 || part == argv[4]; };
    if (wanted("speed")) all.speed();
    if (wanted("fleet")) all.fleet();
    if (wanted("memory")) all.memory();
    if (wanted("keys")) all.many_keys(word(3, 1'000'000));
    if (wanted("replication")) all.replication();
    return 0;
}
