#include "tests/support/redis_server.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <random>
#include <stdexcept>
#include <thread>

namespace penstock::tests {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

bool is_free(std::uint16_t port)
{
    asio::io_context io;
    tcp::acceptor acceptor(io, tcp::v4());
    acceptor.set_option(asio::socket_base::reuse_address(true));
    boost::system::error_code failed;
    acceptor.bind({asio::ip::address_v4::loopback(), port}, failed);
    return !failed;
}

// As tests/support/ports.py: below the ports that the kernel gives to outgoing connections, at random, with its bus port.
std::uint16_t free_port()
{
    constexpr std::uint16_t bus = 10'000;
    static std::random_device random;
    std::uniform_int_distribution<std::uint16_t> any(10'000, 19'999);
    for (;;) {
        auto const port = any(random);
        if (is_free(port) && is_free(static_cast<std::uint16_t>(port + bus))) return port;
    }
}

std::string read_line(asio::local::stream_protocol::socket& from, asio::streambuf& buffer)
{
    auto const size = asio::read_until(from, buffer, "\r\n");
    std::string line(asio::buffers_begin(buffer.data()),
                     asio::buffers_begin(buffer.data()) + static_cast<std::ptrdiff_t>(size) - 2);
    buffer.consume(size);
    return line;
}

std::string read_reply(asio::local::stream_protocol::socket& from, asio::streambuf& buffer)
{
    auto const line = read_line(from, buffer);
    auto const rest = line.substr(1);
    if (line[0] == '+' || line[0] == ':') return rest;
    if (line[0] == '-') return line;
    auto const count = std::stol(rest);
    if (count < 0) return "(nil)";
    if (line[0] == '*') {
        std::string all;
        for (long i = 0; i < count; ++i) all += read_reply(from, buffer) + "\n";
        return all;
    }
    auto const size = static_cast<std::size_t>(count) + 2;
    if (buffer.size() < size) asio::read(from, buffer, asio::transfer_exactly(size - buffer.size()));
    std::string bulk(asio::buffers_begin(buffer.data()), asio::buffers_begin(buffer.data()) + count);
    buffer.consume(size);
    return bulk;
}

} // namespace

redis_server::redis_server(std::vector<std::string> extra) : extra_(std::move(extra))
{
    std::string name = (std::filesystem::temp_directory_path() / "penstock-redis-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error("cannot make a folder for redis-server");
    folder_ = name;
    port_ = free_port();
    start();
}

redis_server::~redis_server()
{
    kill();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

void redis_server::start()
{
    std::vector<std::string> words{"redis-server",
                                   "--port",
                                   std::to_string(port_),
                                   "--bind",
                                   "127.0.0.1",
                                   "--unixsocket",
                                   unix_path(),
                                   "--dir",
                                   folder_.string(),
                                   "--save",
                                   "",
                                   "--appendonly",
                                   "no",
                                   "--daemonize",
                                   "no",
                                   "--logfile",
                                   (folder_ / "log").string()};
    words.insert(words.end(), extra_.begin(), extra_.end());
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);

    auto const parent = ::getpid();
    pid_ = ::fork();
    if (pid_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL); // a test that crashes leaves nothing behind
        if (::getppid() != parent) ::_exit(1);
        ::execvp(argv[0], argv.data());
        ::_exit(127);
    }
    if (pid_ < 0) throw std::runtime_error("cannot fork");

    auto const until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (std::chrono::steady_clock::now() < until) {
        int status = 0;
        if (::waitpid(pid_, &status, WNOHANG) == pid_) {
            pid_ = -1;
            throw std::runtime_error(WIFEXITED(status) && WEXITSTATUS(status) == 127
                                         ? "redis-server is not installed: apt-get install redis-server"
                                         : "redis-server ended at start");
        }
        try {
            command({"PING"}); // also an error is an answer
            return;
        } catch (boost::system::system_error const&) {
            std::this_thread::yield();
        }
    }
    throw std::runtime_error("redis-server does not answer");
}

void redis_server::kill()
{
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
}

void redis_server::restart()
{
    kill();
    start();
}

void redis_server::pause() { ::kill(pid_, SIGSTOP); }

void redis_server::resume() { ::kill(pid_, SIGCONT); }

std::string redis_server::command(std::vector<std::string> const& words) const
{
    asio::io_context io;
    asio::local::stream_protocol::socket socket(io);
    socket.connect(asio::local::stream_protocol::endpoint(unix_path()));
    std::string frame = "*" + std::to_string(words.size()) + "\r\n";
    for (auto const& word : words) frame += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
    asio::write(socket, asio::buffer(frame));
    asio::streambuf buffer;
    return read_reply(socket, buffer);
}

std::int64_t redis_server::info(std::string const& section, std::string_view name) const
{
    auto const text = command({"INFO", section});
    auto at = text.find(name);
    if (at == std::string::npos) return 0;
    at += name.size();
    return std::strtoll(text.c_str() + at + 1, nullptr, 10);
}

std::int64_t redis_server::calls(std::string const& what) const { return info("commandstats", "cmdstat_" + what + ":calls"); }

} // namespace penstock::tests
