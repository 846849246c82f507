#include "bench/script/load.hpp"

#include "limiter/redis/codec.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <stdexcept>

namespace penstock::bench {
namespace {

using tests::redis_server;

// One connection; counts replies without looking at them.
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

// What the server says that it has used so far.
struct account {
    explicit account(redis_server const& server)
        : in(static_cast<double>(server.info("stats", "total_net_input_bytes"))),
          out(static_cast<double>(server.info("stats", "total_net_output_bytes")))
    {
        auto const text = server.command({"INFO", "cpu"});
        for (std::string const name : {"used_cpu_sys:", "used_cpu_user:"})
            cpu_seconds += std::strtod(text.c_str() + text.find(name) + name.size(), nullptr);
    }
    double in;
    double out;
    double cpu_seconds = 0;
};

double median(std::vector<cost> const& of, double cost::*which)
{
    std::vector<double> values;
    for (auto const& one : of) values.push_back(one.*which);
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

} // namespace

double run(redis_server const& server, workload const& load, std::size_t decisions)
{
    boost::asio::io_context io;
    std::deque<client> clients;
    for (std::size_t i = 0; i < load.connections; ++i) clients.emplace_back(io, server.port());
    std::vector<std::string> batches;
    for (std::size_t at = 0; at + load.depth <= load.commands.size(); at += load.depth) {
        auto& batch = batches.emplace_back();
        for (std::size_t i = 0; i < load.depth; ++i) batch += load.commands[at + i];
    }
    auto const commands = decisions * load.calls;
    auto const begun = std::chrono::steady_clock::now();
    std::size_t sent = 0;
    std::size_t next = 0;
    for (auto& one : clients) one.send(batches[next++ % batches.size()], load.depth), sent += load.depth;
    while (sent < commands)
        for (auto& one : clients) {
            one.receive();
            one.send(batches[next++ % batches.size()], load.depth), sent += load.depth;
        }
    for (auto& one : clients) one.receive();
    auto const took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    return static_cast<double>(sent) / static_cast<double>(load.calls) / took;
}

cost measure_once(redis_server const& server, workload const& load, std::size_t decisions)
{
    // run() sends whole rounds of all connections: the server knows how many calls it met.
    auto const calls = [&] { return static_cast<double>(server.calls("evalsha")); };
    account const before(server);
    auto const calls_before = calls();
    cost found;
    found.per_second = run(server, load, decisions);
    auto const made = (calls() - calls_before) / static_cast<double>(load.calls);
    account const after(server);
    found.per_cpu_second = made / (after.cpu_seconds - before.cpu_seconds);
    found.bytes_in = (after.in - before.in) / made;
    found.bytes_out = (after.out - before.out) / made;
    return found;
}

std::vector<cost> measure(redis_server const& server, std::vector<workload> const& loads, std::size_t decisions,
                          std::size_t rounds)
{
    auto const one_round = [&](workload const& load) {
        auto const most = decisions / load.slower;
        server.command({"FLUSHALL"});
        run(server, load, std::max(most / 5, load.first));
        return measure_once(server, load, most);
    };
    std::vector<std::vector<cost>> all(loads.size());
    for (std::size_t round = 0; round < rounds; ++round)
        for (std::size_t i = 0; i < loads.size(); ++i) {
            auto const base = std::find_if(loads.begin(), loads.end(),
                                           [&](auto const& other) { return other.name == loads[i].compared_with; });
            auto const before = base == loads.end() ? cost{} : one_round(*base);
            auto& found = all[i].emplace_back(one_round(loads[i]));
            if (base == loads.end()) continue;
            found.ratio = found.per_second / before.per_second;
            found.cpu_ratio = found.per_cpu_second / before.per_cpu_second;
        }
    std::vector<cost> medians;
    for (auto const& of : all)
        medians.push_back({.per_second = median(of, &cost::per_second),
                           .per_cpu_second = median(of, &cost::per_cpu_second),
                           .bytes_in = median(of, &cost::bytes_in),
                           .bytes_out = median(of, &cost::bytes_out),
                           .ratio = median(of, &cost::ratio),
                           .cpu_ratio = median(of, &cost::cpu_ratio)});
    return medians;
}

void print(std::vector<workload> const& loads, std::vector<cost> const& costs)
{
    std::printf("%-40s %11s %7s %14s %7s %9s %9s\n", "", "decisions/s", "ratio", "per CPU second", "ratio", "bytes in", "out");
    for (std::size_t i = 0; i < loads.size(); ++i) {
        auto const& is = costs[i];
        std::printf("%-40s %11.0f %7.2f %14.0f %7.2f %9.0f %9.0f\n", loads[i].name.c_str(), is.per_second, is.ratio,
                    is.per_cpu_second, is.cpu_ratio, is.bytes_in, is.bytes_out);
    }
    std::fflush(stdout);
}

} // namespace penstock::bench
