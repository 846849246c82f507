// Hears from the sentinels where the primary is, while a link serves: of one at a time, over a connection that stays. A
// primary that an operator moves goes on answering for some ten seconds, and what it counts then is lost: this is how a
// gateway leaves it at once. Decides nothing. Used by dialer, on the worker's thread. I/O.
#pragma once

#include "limiter/jitter.hpp"
#include "limiter/redis/connection.hpp"
#include "limiter/redis/redis_settings.hpp"
#include "limiter/redis/reply_reader.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include <functional>
#include <memory>

namespace penstock::limiter::redis {

class primary_watch final : public connection::listener, public std::enable_shared_from_this<primary_watch> {
public:
    // Where it is now: when a sentinel learns of a move. What a sentinel says unasked of the past would be no news, and from
    // one that has been away, wrong.
    using news = std::function<void(redis_address const& primary)>;
    // A sentinel that refuses the login or a channel, each time. The other channel is listened to all the same.
    using refusal = std::function<void(base::error_code why, std::string const& words)>;
    struct listener {
        news moved;
        refusal refused;
    };

    // `wanted` names sentinels, and outlives the watch or its end.
    primary_watch(boost::asio::io_context& worker, redis_settings const& wanted, tls_context_ptr tls, std::uint64_t seed,
                  listener tell);

    void start();
    void end() noexcept;

    static constexpr base::micros shortest_pause{200'000}; // before another sentinel is asked
    static constexpr base::micros longest_pause{5'000'000};

private:
    void on_connected() override;
    void on_bytes(std::span<char const> received) override;
    void on_broken(base::error_code why, std::string_view words) override;

    void take(reply const& answer);
    void take_greeting(reply const& answer);
    void try_next();
    [[nodiscard]] redis_address const& asked() const;
    void expect(base::micros within, void (primary_watch::*then)());

    boost::asio::io_context& worker_;
    redis_settings const& wanted_;
    tls_context_ptr tls_; // null: in clear
    limiter::jitter jitter_;
    listener tell_;                // empty: ended
    std::size_t which_;            // sentinel, modulo their number: spread over workers
    bool login_due_ = false;       // its reply comes first
    std::size_t channels_due_ = 0; // replies to that many subscriptions
    bool hears_ = false;           // one of them was accepted
    boost::asio::basic_waitable_timer<base::clock> timer_;
    std::shared_ptr<connection> connection_;
    std::unique_ptr<reply_reader> reader_;
};

} // namespace penstock::limiter::redis
