#include "gateway/access_log.hpp"

#include "base/clock.hpp"
#include "proxy/descriptor.hpp"

#include <doctest/doctest.h>

#include <array>
#include <csignal>
#include <optional>
#include <string>
#include <thread>

#include <unistd.h>

using namespace penstock;
using namespace penstock::gateway;

namespace {

struct pipe_ends {
    pipe_ends()
    {
        std::array<int, 2> ends{};
        auto const made = ::pipe(ends.data());
        REQUIRE(made == 0);
        reader = proxy::descriptor(ends[0]);
        writer = proxy::descriptor(ends[1]);
    }
    // Everything up to the end; the writer must be closed, or close.
    std::string read_all()
    {
        std::string all;
        std::array<char, 65536> block;
        for (;;) {
            auto const n = ::read(reader.get(), block.data(), block.size());
            if (n <= 0) return all;
            all.append(block.data(), static_cast<std::size_t>(n));
        }
    }
    proxy::descriptor reader;
    proxy::descriptor writer;
};

} // namespace

TEST_CASE("OP-30: lines arrive whole and in order, all of them before the log ends")
{
    pipe_ends pipe;
    std::string expected;
    {
        access_log log(pipe.writer.get());
        for (int i = 0; i < 100; ++i) {
            auto const batch = "line " + std::to_string(i) + "\nand another\n";
            expected += batch;
            log.submit(batch, 2);
        }
    }
    pipe.writer.close();
    CHECK(pipe.read_all() == expected);
}

TEST_CASE("OP-36: a reader that stalls costs lines, which are counted, and neither time nor an end")
{
    pipe_ends pipe;
    std::string const batch = std::string(1024 * 1024 - 1, 'x') + "\n";
    constexpr std::uint64_t submitted = 20;
    std::optional<access_log> log;
    log.emplace(pipe.writer.get());
    for (std::uint64_t i = 0; i < submitted; ++i) log->submit(batch, 10); // would hang here if it waited
    auto const dropped = log->dropped_lines();
    CHECK(dropped >= 10 * (submitted - 9)); // eight batches wait, one may be on its way
    CHECK(dropped <= 10 * (submitted - 8));

    auto const began_us = base::monotonic_us();
    log.reset();
    CHECK(base::monotonic_us() - began_us < 5'000'000); // a second by contract; the rest is for a busy machine
}

TEST_CASE("OP-36: a reader that has gone costs lines only")
{
    struct sigpipe_ignored { // as the program does at its start (OP-45)
        sigpipe_ignored() : before(std::signal(SIGPIPE, SIG_IGN)) {}
        ~sigpipe_ignored() { std::signal(SIGPIPE, before); }
        sigpipe_ignored(sigpipe_ignored const&) = delete;
        sigpipe_ignored& operator=(sigpipe_ignored const&) = delete;
        void (*before)(int);
    } const guard;
    pipe_ends pipe;
    pipe.reader.close();
    access_log log(pipe.writer.get());
    log.submit("lost\n", 1);
    auto const began_us = base::monotonic_us();
    while (log.dropped_lines() == 0 && base::monotonic_us() - began_us < 10'000'000) std::this_thread::yield();
    CHECK(log.dropped_lines() == 1);
}
