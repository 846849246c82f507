// A redis-server of the test's own: on a free port and a unix socket in a folder of its own, killed at the end. Talks to it
// directly, beside the code under test, to look at what that has done. A machine without redis-server fails the test.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::tests {

class redis_server {
public:
    // `extra`: more arguments, e.g. {"--requirepass", "secret"}. Returns when it answers.
    explicit redis_server(std::vector<std::string> extra = {});
    ~redis_server();
    redis_server(redis_server const&) = delete;
    redis_server& operator=(redis_server const&) = delete;

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    [[nodiscard]] std::string unix_path() const { return (folder_ / "redis.sock").string(); }

    void kill();    // as a crash would
    void restart(); // on the same port, empty
    void pause();   // the process stands still, its sockets stay open
    void resume();

    // Sends one command and returns its reply as text: arrays line by line, nil as "(nil)", errors with their "-".
    std::string command(std::vector<std::string> const& words) const;
    // The number after `name` and `=` or `:` in INFO `section`; 0 if it is not there.
    [[nodiscard]] std::int64_t info(std::string const& section, std::string_view name) const;
    // How often `what` (lower case) was called since the last CONFIG RESETSTAT.
    [[nodiscard]] std::int64_t calls(std::string const& what) const;

private:
    void start();

    std::vector<std::string> extra_;
    std::filesystem::path folder_;
    std::uint16_t port_ = 0;
    pid_t pid_ = -1;
};

} // namespace penstock::tests
