// Asks the sentinels, one after the other, where the primary is, each within a deadline of its own, until one knows. One
// object for each search; ends by itself. The shell around sentinel_codec. Used by dialer, on the worker's thread. I/O.
#pragma once

#include "limiter/redis/connection.hpp"
#include "limiter/redis/redis_settings.hpp"
#include "limiter/redis/reply_reader.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include <functional>
#include <memory>
#include <string>

namespace penstock::limiter::redis {

class primary_search final : public connection::listener, public std::enable_shared_from_this<primary_search> {
public:
    struct finding {
        redis_address primary;
        std::size_t told_by; // which sentinel
    };
    struct failure {
        base::error_code why;
        std::string words; // what became of each sentinel
    };
    // Told once, never from within start(), unless abandoned.
    using ending = std::function<void(base::result<finding, failure> const& got)>;

    // `wanted` names sentinels; it and `tls` outlive the search, or its abandonment. Begins with sentinel `first`.
    primary_search(boost::asio::io_context& worker, redis_settings const& wanted, tls_context_ptr tls, std::size_t first,
                   ending done);

    void start();
    void abandon() noexcept;

    // How long one sentinel is given: half of what a connection is, so that a dead one does not cost the time of two.
    static base::micros patience(redis_settings const& wanted) noexcept { return wanted.connect_timeout / 2; }

private:
    void on_connected() override;
    void on_bytes(std::span<char const> received) override;
    void on_broken(base::error_code why, std::string_view words) override;

    void ask_next();
    void take(reply const& answer);
    void no_answer(base::error_code why, std::string_view words);
    void close() noexcept;
    [[nodiscard]] redis_address const& asked() const { return wanted_.sentinels->addresses[which_]; }

    boost::asio::io_context& worker_;
    redis_settings const& wanted_;
    tls_context_ptr tls_; // null: in clear
    std::size_t which_;   // sentinel, being asked or asked next
    std::size_t left_;    // sentinels that have not been asked
    ending done_;         // empty: abandoned, or over
    boost::asio::basic_waitable_timer<base::clock> patience_;
    std::shared_ptr<connection> connection_; // to the one that is being asked
    std::unique_ptr<reply_reader> reader_;
    bool login_due_ = false; // its reply comes first
    failure failure_;
};

} // namespace penstock::limiter::redis
