// Which troubles of a Redis node have been told since it last served, so that each is told once in an outage, however often
// it comes again. Called by node. Pure.
#pragma once

#include "limiter/error.hpp"

#include <cstdint>

namespace penstock::limiter::redis {

class outage_record {
public:
    enum class of : std::uint8_t { connection, breaker };

    [[nodiscard]] bool ongoing() const noexcept { return told_ != 0; }
    // Whether this one is to be told.
    bool begins(of what, errc kind) noexcept
    {
        auto const bit = std::uint64_t{1} << (static_cast<unsigned>(kind) + (what == of::breaker ? 32U : 0U));
        auto const is_new = (told_ & bit) == 0;
        told_ |= bit;
        return is_new;
    }
    // The same of what is no outage, as it fails single calls: told once on each connection.
    bool remarks(errc kind) noexcept
    {
        auto const bit = std::uint32_t{1} << static_cast<unsigned>(kind);
        auto const is_new = (remarked_ & bit) == 0;
        remarked_ |= bit;
        return is_new;
    }
    void connected() noexcept { remarked_ = 0; }
    [[nodiscard]] bool had(of what) const noexcept { return (what == of::breaker ? told_ >> 32U : told_ & 0xFFFF'FFFFU) != 0; }
    void ends() noexcept { told_ = 0; }

private:
    static_assert(static_cast<unsigned>(last_errc) < 32);
    std::uint64_t told_ = 0;
    std::uint32_t remarked_ = 0;
};

} // namespace penstock::limiter::redis
