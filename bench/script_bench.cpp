// What a decision costs inside Redis: lua/acquire.lua against a naive script (HMGET, HSET, EXPIRE, TIME; one call per
// limit), for each algorithm, in one run, on a redis-server of its own. Prints decisions per second of wall-clock time and of
// Redis' own CPU time (which other programs disturb less), bytes per key, bytes sent to a replica.
//   script_bench [decisions per round] [rounds]
#include "limiter/redis/codec.hpp"
#include "tests/support/redis_server.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <random>
#include <stdexcept>
#include <thread>

namespace {

using namespace penstock;
using limiter::redis::calling;
using tests::redis_server;

constexpr std::size_t connections = 4;
constexpr std::size_t depth = 32;      // frames in flight on each
constexpr std::size_t frames = 20'000; // prepared, then sent over and over

// A bucket as many write it first: floating point, a hash, an expiry, a write whatever the answer.
constexpr char const* naive_text = R"(
local state = redis.call('HMGET', KEYS[1], 'level', 'at')
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1e6
local most, rate, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local level = math.min(most, (tonumber(state[1]) or most) + (now - (tonumber(state[2]) or now)) * rate)
local allowed = level >= cost
if allowed then level = level - cost end
redis.call('HSET', KEYS[1], 'level', level, 'at', now)
redis.call('EXPIRE', KEYS[1], math.ceil(most / rate) * 2)
return {allowed and 1 or 0, tostring(level)}
)";

struct workload {
    char const* name;
    char const* compared_with; // the name of another, or null
    std::size_t calls;         // per decision
    std::vector<std::string> commands;
    std::vector<double> rates{};
    std::vector<double> cpu_rates{};
};

std::string command(std::vector<std::string> const& words)
{
    auto frame = "*" + std::to_string(words.size()) + "\r\n";
    for (auto const& word : words) frame += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
    return frame;
}

std::string key_name(std::size_t caller, std::string const& limit)
{
    char name[40];
    std::snprintf(name, sizeof name, "rl:{ip=10.9.%06zu}", caller);
    return name + (":" + limit);
}

// One limit of each algorithm that the load never exhausts, and some that it does at once.
struct limits {
    limits()
    {
        using std::chrono::hours, std::chrono::minutes, std::chrono::seconds;
        auto const today = base::since_epoch_us(base::clock::now()) / 86'400'000'000;
        for (int day = -3; day <= 3; ++day) days.starts.push_back((today + day) * 86'400'000'000);

        whole.quota.algorithm = *limiter::make_token_bucket(1'000'000, 1'000'000, base::micros{20'000'000'000});
        rational.quota.algorithm = *limiter::make_token_bucket(1'000'000, 999'983, base::micros{20'000'000'000});
        periodic.quota.algorithm = *limiter::make_periodic_bucket(999'999, 999'999, minutes(1));
        window.quota.algorithm = *limiter::make_fixed_window(999'999, minutes(1));
        clock.quota.algorithm = *limiter::make_clock_window(999'999, hours(1));
        calendar.quota.algorithm = *limiter::make_calendar_window(999'999, days);
        sliding.quota.algorithm = *limiter::make_sliding_window(999'999, minutes(1), 6);
        counter.quota.algorithm = *limiter::make_sliding_counter(9'999, minutes(1));
        // A thousand callers in turn keep about a hundred instants each in the window.
        log.quota.algorithm = *limiter::make_sliding_log(10'000, seconds(1));
        held.quota.algorithm = *limiter::make_concurrency(1'000'000);
        for (std::uint32_t i = 0; i < 3; ++i) {
            packed[i] = whole;
            packed[i].packed_id = 0x9e3779b9U * (i + 1);
            packed_rational[i] = packed[i];
            packed_rational[i].quota.algorithm = rational.quota.algorithm;
        }

        tiny.quota.algorithm = *limiter::make_token_bucket(1, 1, hours(1));
        packed_tiny = packed[2];
        packed_tiny.quota.algorithm = tiny.quota.algorithm;
        tiny_log.quota.algorithm = *limiter::make_sliding_log(100, hours(1));
        tiny_sliding.quota.algorithm = *limiter::make_sliding_window(1, hours(1), 6);
        tiny_counter.quota.algorithm = *limiter::make_sliding_counter(1, hours(1));
    }
    limiter::calendar days;
    limiter::policy whole;
    limiter::policy rational;
    limiter::policy periodic;
    limiter::policy window;
    limiter::policy clock;
    limiter::policy calendar;
    limiter::policy sliding;
    limiter::policy counter;
    limiter::policy log;
    limiter::policy held;
    std::array<limiter::policy, 3> packed; // three that share a key
    std::array<limiter::policy, 3> packed_rational;
    limiter::policy packed_tiny; // of the same
    limiter::policy tiny;
    limiter::policy tiny_log;
    limiter::policy tiny_sliding;
    limiter::policy tiny_counter;
};

std::string acquire(std::size_t caller, std::vector<limiter::policy const*> const& policies, std::uint32_t times = 1)
{
    limiter::claims asked;
    std::vector<limiter::redis::holding> holdings;
    for (auto const* policy : policies) {
        auto& claim = asked.emplace_back();
        claim.policy = policy;
        claim.times = times;
        claim.key.append(key_name(caller, std::string(1, static_cast<char>('a' + asked.size() - 1))));
        claim.identity_end = static_cast<std::uint8_t>(claim.key.view().find('}') + 1);
        holdings.push_back({.holder = 1, .held = 0});
    }
    std::string frame;
    append_acquire(frame, calling::by_digest, {.asked = asked, .now = base::clock::now(), .holdings = holdings});
    return frame;
}

// One connection with `depth` frames under way; counts replies without looking at them.
class client {
public:
    client(boost::asio::io_context& io, std::uint16_t port) : socket_(io)
    {
        socket_.connect({boost::asio::ip::address_v4::loopback(), port});
        socket_.set_option(boost::asio::ip::tcp::no_delay(true));
    }
    void send(std::string const& batch, std::size_t count)
    {
        boost::asio::write(socket_, boost::asio::buffer(batch));
        due_ = count;
    }
    void receive()
    {
        while (due_ > 0) {
            auto const size = socket_.read_some(boost::asio::buffer(bytes_));
            if (reader_.feed({bytes_.data(), size})) throw std::runtime_error("not RESP");
            for (;;) {
                auto const next = reader_.next();
                if (!next) throw std::runtime_error("not RESP");
                if (!*next) break;
                if ((*next)->kind == limiter::redis::reply::type::error) throw std::runtime_error(std::string((*next)->text));
                --due_;
            }
        }
    }

private:
    boost::asio::ip::tcp::socket socket_;
    limiter::redis::reply_reader reader_;
    std::array<char, 65536> bytes_;
    std::size_t due_ = 0;
};

double decisions_per_second(redis_server const& server, workload const& load, std::size_t decisions)
{
    boost::asio::io_context io;
    std::deque<client> clients;
    for (std::size_t i = 0; i < connections; ++i) clients.emplace_back(io, server.port());
    std::vector<std::string> batches;
    for (std::size_t at = 0; at + depth <= load.commands.size(); at += depth) {
        auto& batch = batches.emplace_back();
        for (std::size_t i = 0; i < depth; ++i) batch += load.commands[at + i];
    }
    auto const commands = decisions * load.calls;
    auto const begun = std::chrono::steady_clock::now();
    std::size_t sent = 0;
    std::size_t next = 0;
    for (auto& one : clients) one.send(batches[next++ % batches.size()], depth), sent += depth;
    while (sent < commands)
        for (auto& one : clients) {
            one.receive();
            one.send(batches[next++ % batches.size()], depth), sent += depth;
        }
    for (auto& one : clients) one.receive();
    auto const took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    return static_cast<double>(sent / load.calls) / took;
}

double median(std::vector<double> values)
{
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

std::vector<std::string> repeated(std::function<std::vector<std::string>(std::size_t)> const& make)
{
    std::mt19937 random(11);
    std::uniform_int_distribution<std::size_t> caller(0, 999);
    std::vector<std::string> all;
    while (all.size() < frames)
        for (auto& one : make(caller(random))) all.push_back(std::move(one));
    return all;
}

// User and system time that the server has used, in seconds.
double cpu_seconds(redis_server const& server)
{
    auto const text = server.command({"INFO", "cpu"});
    double sum = 0;
    for (std::string const name : {"used_cpu_sys:", "used_cpu_user:"})
        sum += std::strtod(text.c_str() + text.find(name) + name.size(), nullptr);
    return sum;
}

void measure_speed(redis_server const& server, std::vector<workload>& loads, std::size_t decisions, int rounds)
{
    for (int round = 0; round < rounds; ++round)
        for (auto& load : loads) {
            server.command({"FLUSHALL"});
            auto const before = cpu_seconds(server);
            load.rates.push_back(decisions_per_second(server, load, decisions));
            load.cpu_rates.push_back(static_cast<double>(decisions) / (cpu_seconds(server) - before));
        }
    std::printf("%-34s %12s %8s %16s %8s\n", "", "decisions/s", "ratio", "per CPU second", "ratio");
    for (auto const& load : loads) {
        auto const* base = &load;
        for (auto const& other : loads)
            if (load.compared_with && std::string_view(load.compared_with) == other.name) base = &other;
        std::printf("%-34s %12.0f %8.2f %16.0f %8.2f\n", load.name, median(load.rates),
                    median(load.rates) / median(base->rates), median(load.cpu_rates),
                    median(load.cpu_rates) / median(base->cpu_rates));
    }
}

// Everything that Redis allocates for a key, by the difference that 125,000 of them make: Redis' hash tables double at powers
// of two, and this fills them as a million keys does.
void measure_memory(redis_server const& server, char const* name, std::function<std::string(std::size_t)> const& frame)
{
    constexpr std::size_t keys = 125'000;
    server.command({"FLUSHALL"});
    auto const before = server.info("memory", "used_memory");
    workload load{name, nullptr, 1, {}};
    for (std::size_t i = 0; i < keys; ++i) load.commands.push_back(frame(i));
    decisions_per_second(server, load, keys - connections * depth);
    auto const held = static_cast<double>(server.info("keyspace", "keys"));
    std::printf("%-34s %10.1f bytes per key (%.0f keys, name of %zu bytes)\n", name,
                static_cast<double>(server.info("memory", "used_memory") - before) / held, held, key_name(1, "a").size());
}

void measure_replication(redis_server const& server, char const* name, std::string const& frame)
{
    auto const settled = [&] {
        for (;;) {
            auto const offset = server.info("replication", "master_repl_offset");
            if (server.info("replication", "slave0:ip=127.0.0.1,port") == 0) {
                std::this_thread::yield();
                continue;
            }
            return offset;
        }
    };
    workload load{name, nullptr, 1, std::vector<std::string>(frames, frame)};
    server.command({"FLUSHALL"});             // what expires meanwhile would be sent too
    decisions_per_second(server, load, 1000); // charged to the full
    auto const before = settled();
    constexpr std::size_t decisions = 10'000;
    decisions_per_second(server, load, decisions);
    std::printf("%-34s %10.2f bytes to a replica per decision\n", name,
                static_cast<double>(settled() - before) / static_cast<double>(decisions));
}

} // namespace

int main(int argc, char** argv)
{
    auto const decisions = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 100'000;
    auto const rounds = argc > 2 ? std::atoi(argv[2]) : 5;
    redis_server const server;
    limits const limit;
    auto const naive = server.command({"SCRIPT", "LOAD", naive_text});
    server.command({"SCRIPT", "LOAD", std::string(limiter::redis::scripts::acquire.text)});
    auto const naive_call = [&](std::size_t caller, char const* name) {
        return command({"EVALSHA", naive, "1", key_name(caller, name), "100000000", "1000000", "1"});
    };
    auto const one = [&](limiter::policy const& policy) {
        return repeated([&](std::size_t caller) { return std::vector{acquire(caller, {&policy})}; });
    };
    auto const three = [&](std::vector<limiter::policy const*> const& policies) {
        return repeated([&](std::size_t caller) { return std::vector{acquire(caller, policies)}; });
    };

    std::vector<workload> loads;
    loads.push_back({"naive, 1 limit", nullptr, 1, repeated([&](std::size_t c) { return std::vector{naive_call(c, "a")}; })});
    struct row {
        char const* name;
        limiter::policy const& policy;
    };
    row const admitting[] = {{"token bucket", limit.whole},
                             {"token bucket, fractional interval", limit.rational},
                             {"token bucket, periodic", limit.periodic},
                             {"fixed window", limit.window},
                             {"fixed window, clock", limit.clock},
                             {"fixed window, calendar", limit.calendar},
                             {"sliding window, 6 segments", limit.sliding},
                             {"sliding window counter", limit.counter},
                             {"sliding log", limit.log},
                             {"concurrency", limit.held}};
    row const refusing[] = {{"token bucket, refused", limit.tiny},
                            {"sliding window, refused", limit.tiny_sliding},
                            {"sliding window counter, refused", limit.tiny_counter},
                            {"sliding log of 100, refused", limit.tiny_log}};
    for (auto const& row : admitting) loads.push_back({row.name, "naive, 1 limit", 1, one(row.policy)});
    for (auto const& row : refusing) loads.push_back({row.name, "naive, 1 limit", 1, one(row.policy)});
    loads.push_back({"token bucket, 20 alike in a call", "naive, 1 limit", 1,
                     repeated([&](std::size_t caller) { return std::vector{acquire(caller, {&limit.whole}, 20)}; })});
    loads.push_back({"naive, 3 limits in 3 calls", nullptr, 3, repeated([&](std::size_t c) {
                         return std::vector{naive_call(c, "a"), naive_call(c, "b"), naive_call(c, "c")};
                     })});
    loads.push_back({"3 token buckets", "naive, 3 limits in 3 calls", 1, three({&limit.whole, &limit.whole, &limit.whole})});
    auto const& packed = limit.packed;
    loads.push_back({"3 token buckets, packed", "naive, 3 limits in 3 calls", 1, three({&packed[0], &packed[1], &packed[2]})});
    loads.push_back({"3 token buckets, fractional", "naive, 3 limits in 3 calls", 1,
                     three({&limit.rational, &limit.rational, &limit.rational})});
    loads.push_back({"3 token buckets, fractional, packed", "naive, 3 limits in 3 calls", 1,
                     three({&limit.packed_rational[0], &limit.packed_rational[1], &limit.packed_rational[2]})});
    loads.push_back(
        {"3 token buckets, one refuses", "naive, 3 limits in 3 calls", 1, three({&limit.whole, &limit.whole, &limit.tiny})});
    loads.push_back({"3 token buckets, packed, one refuses", "naive, 3 limits in 3 calls", 1,
                     three({&packed[0], &packed[1], &limit.packed_tiny})});
    loads.push_back(
        {"2 packed buckets, 1 fixed window", "naive, 3 limits in 3 calls", 1, three({&packed[0], &packed[1], &limit.window})});
    loads.push_back({"1 packed bucket of 1", "naive, 1 limit", 1, one(packed[0])});
    // Of callers all of whose buckets are touched, 19 of 20 requests meet one of them only.
    loads.push_back({"1 packed bucket of 3", "naive, 1 limit", 1, repeated([&](std::size_t caller) {
                         auto calls = std::vector(19, acquire(caller, {&packed[0]}));
                         calls.push_back(acquire(caller, {&packed[0], &packed[1], &packed[2]}));
                         return calls;
                     })});
    loads.push_back({"2 token buckets, 1 fixed window", "naive, 3 limits in 3 calls", 1,
                     three({&limit.whole, &limit.whole, &limit.window})});
    loads.push_back(
        {"3 limits, one refuses", "naive, 3 limits in 3 calls", 1, three({&limit.whole, &limit.tiny, &limit.window})});
    measure_speed(server, loads, decisions, rounds);

    measure_memory(server, "naive", [&](std::size_t c) { return naive_call(c, "a"); });
    for (auto const& row : admitting)
        measure_memory(server, row.name, [&](std::size_t c) { return acquire(c, {&row.policy}); });

    measure_memory(server, "3 token buckets, per key of 3", [&](std::size_t c) {
        return acquire(c, {&limit.whole, &limit.whole, &limit.whole});
    });
    measure_memory(server, "3 token buckets, packed in 1 key", [&](std::size_t c) {
        return acquire(c, {&packed[0], &packed[1], &packed[2]});
    });
    measure_memory(server, "3 fractional ones, packed in 1 key", [&](std::size_t c) {
        return acquire(c, {&limit.packed_rational[0], &limit.packed_rational[1], &limit.packed_rational[2]});
    });

    redis_server const replica({"--replicaof", "127.0.0.1 " + std::to_string(server.port())});
    measure_replication(server, "naive", naive_call(1, "n"));
    std::size_t caller = 2;
    for (auto const& row : admitting) measure_replication(server, row.name, acquire(caller++, {&row.policy}));
    for (auto const& row : refusing) measure_replication(server, row.name, acquire(caller++, {&row.policy}));
    return 0;
}
