// Streams over socket pairs for tests: a loop that is run until a condition holds, and a wheel that is advanced by hand.
// Nothing waits for time: what is written to a socket pair is there at once.
#pragma once

#include "proxy/poller.hpp"
#include "proxy/stream.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <doctest/doctest.h>

#include <array>
#include <exception>
#include <memory>
#include <string>
#include <utility>

#include <sys/socket.h>

namespace penstock::proxy {

struct socket_bench {
    static constexpr auto start = base::at_epoch_us(1'700'000'000'000'000);

    boost::asio::io_context io;
    deadline_wheel wheel{start};
    poller events{io, wheel};

    struct pair {
        std::unique_ptr<stream> ours;
        descriptor theirs;
    };
    pair connect()
    {
        std::array<int, 2> ends{};
        auto const made = ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data());
        REQUIRE(made == 0);
        return {std::make_unique<stream>(descriptor(ends[0]), events), descriptor(ends[1])};
    }

    // Runs what is ready, again and again, until nothing is.
    void settle()
    {
        for (int idle = 0; idle < 3;) {
            io.restart();
            idle = io.poll() == 0 ? idle + 1 : 0;
        }
    }
    void pass(base::micros time)
    {
        for (auto passed = base::micros{0}; passed < time; passed += deadline_wheel::tick)
            wheel.advance(wheel.now() + deadline_wheel::tick);
        settle();
    }
    // Starts a coroutine; what it throws fails the test when the loop runs.
    void start_task(boost::asio::awaitable<void> task)
    {
        auto rethrow = [](std::exception_ptr failed) {
            if (failed) std::rethrow_exception(failed);
        };
        boost::asio::co_spawn(io, std::move(task), rethrow);
        settle();
    }
};

inline void send_text(descriptor const& socket, std::string_view text)
{
    REQUIRE(::send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
}

// Everything that is there now.
inline std::string take_text(descriptor const& socket)
{
    std::string all;
    std::array<char, 65536> block;
    for (;;) {
        auto const n = ::recv(socket.get(), block.data(), block.size(), 0);
        if (n <= 0) return all;
        all.append(block.data(), static_cast<std::size_t>(n));
    }
}

} // namespace penstock::proxy
