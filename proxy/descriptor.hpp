// Owns one file descriptor. One thread.
#pragma once

#include <utility>

#include <unistd.h>

namespace penstock::proxy {

class descriptor {
public:
    descriptor() noexcept = default;
    explicit descriptor(int number) noexcept : number_(number) {}
    descriptor(descriptor&& other) noexcept : number_(other.release()) {}
    descriptor& operator=(descriptor&& other) noexcept
    {
        std::swap(number_, other.number_);
        return *this;
    }
    ~descriptor() { close(); }

    [[nodiscard]] int get() const noexcept { return number_; }
    [[nodiscard]] bool is_open() const noexcept { return number_ >= 0; }
    [[nodiscard]] int release() noexcept { return std::exchange(number_, -1); }
    void close() noexcept
    {
        if (number_ >= 0) ::close(release());
    }

private:
    int number_ = -1;
};

} // namespace penstock::proxy
