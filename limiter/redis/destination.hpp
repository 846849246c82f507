// Where the next connection of a link goes: the configured server, or the primary that sentinels have named. Remembers which of
// them is to be asked first, and what one has told unasked. Knows no socket and no clock; dialer asks it. Pure.
#pragma once

#include "limiter/redis/redis_settings.hpp"

#include <cstddef>
#include <optional>
#include <string>

namespace penstock::limiter::redis {

class destination {
public:
    // `wanted` outlives it.
    explicit destination(redis_settings const& wanted) noexcept : wanted_(wanted) {}

    // Before a connection is made: whether sentinels have to be asked first. Uses up the news.
    [[nodiscard]] bool is_to_be_searched();
    // Of the sentinels, the one to be asked first, modulo their number.
    [[nodiscard]] std::size_t first_asked() const noexcept { return first_asked_; }
    void found(redis_address primary, std::size_t told_by);
    // A sentinel says unasked where the primary is. True: that is elsewhere, and tried next.
    [[nodiscard]] bool heard(redis_address const& primary);
    // The connection was lost, or could not be made: whoever named this address is asked last.
    void led_nowhere() noexcept { ++first_asked_; }

    // Unless it is a unix socket.
    [[nodiscard]] redis_address address() const;
    // What the certificate of an address must name, under TLS.
    [[nodiscard]] std::string server_name() const;
    // For the operator: host:port or path, and of which sentinels' primary.
    [[nodiscard]] std::string text() const;

private:
    redis_settings const& wanted_;
    redis_address primary_;             // as the sentinels say; no host: they were not asked yet
    std::optional<redis_address> news_; // where it is now, to be tried before anybody is asked
    std::size_t first_asked_ = 0;
};

} // namespace penstock::limiter::redis
