// The connection of a link, made anew whenever it is lost: finds the primary, connects, greets, hands over what Redis answers.
// The shell around the connection's machine: each event reads the clock once, asks the machine, does what it says. Knows nothing
// of what is asked. Used by link, on the worker's thread. I/O.
#pragma once

#include "limiter/redis/connection.hpp"
#include "limiter/redis/connection_fsm.hpp"
#include "limiter/redis/destination.hpp"
#include "limiter/redis/greeting.hpp"
#include "limiter/redis/node_state.hpp"
#include "limiter/redis/primary_search.hpp"
#include "limiter/redis/primary_watch.hpp"
#include "limiter/redis/reply_reader.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include <memory>
#include <string>

namespace penstock::limiter::redis {

class dialer final : public connection::listener {
public:
    // A connection that is no more, or could not be made.
    struct loss {
        bool served;
        base::error_code why;
        std::string words; // of Redis, TLS or the sentinels, which say more than `why`; or empty
    };
    // Called on the worker's thread; must not end the dialer from within, but may stop it, or call lost().
    class owner {
    public:
        owner() = default;
        owner(owner const&) = delete;
        owner& operator=(owner const&) = delete;
        virtual void on_connection() = 0; // it may be used from now on
        virtual void on_reply(reply const& answer) = 0;
        virtual void on_lost(loss const& what) = 0;
        // A sentinel will not tell of a primary that moves, which is then noticed seconds later.
        virtual void on_deaf(base::error_code why, std::string const& words) = 0;
        // After a loss, or at the end: what has not been answered will not be.
        virtual void on_dropped() = 0;
        // What keeps the owner, and with it the dialer, alive.
        virtual std::weak_ptr<void> lifeline() noexcept = 0;

    protected:
        ~owner() = default;
    };

    // `wanted`, whose terms may change, and `of` outlive it. `tls` is made of its settings, or null: then it makes its own.
    dialer(boost::asio::io_context& worker, redis_settings const& wanted, tls_context_ptr tls, std::uint64_t seed, owner& of);

    void start() { resume(fsm::event::start); }
    void stop() { resume(fsm::event::stop); }
    // The terms have changed. A try under way ends by them if that is sooner.
    void adopt_terms();
    // Ends a pause between two tries.
    void try_at_once();
    [[nodiscard]] bool ready() const noexcept { return fsm_.now_in() == fsm::state::ready; }
    [[nodiscard]] bool stopped() const noexcept { return fsm_.now_in() == fsm::state::stopped; }

    // While ready(): bytes to send, and sending them.
    [[nodiscard]] std::string& outgoing() noexcept { return connection_->outgoing(); }
    void flush() { connection_->flush(); }
    // The connection is of no use any more, as its user has found; `words` as in a loss. The next one is made in time.
    void lost(base::error_code why, std::string_view words = {});

    [[nodiscard]] std::string target() const { return where_.text(); } // of the present or next connection
    // Adds what it has counted, and how it is.
    void report(node_counts& to) const noexcept;

private:
    using timer = boost::asio::basic_waitable_timer<base::clock>;
    using fsm = connection_fsm;

    void on_connected() override;
    void on_bytes(std::span<char const> received) override;
    void on_broken(base::error_code why, std::string_view words) override;

    void resume(fsm::event what);
    void pace(base::instant until);
    void locate();
    void located(base::result<primary_search::finding, primary_search::failure> const& got);
    void watch();
    void moved(redis_address const& to);
    void connect();
    void greet();
    void take_greeting(reply const& answer);
    void drop();

    boost::asio::io_context& worker_;
    redis_settings const& settings_;
    owner& owner_;
    tls_context_ptr tls_; // null: in clear
    std::string password_;
    fsm fsm_;
    destination where_;
    timer pace_; // of the machine: connect time-out, pause
    std::uint64_t seed_;
    std::unique_ptr<reply_reader> reader_;   // of the present connection
    std::shared_ptr<connection> connection_; // null while locating or pausing
    std::shared_ptr<primary_search> search_; // null but while locating
    std::shared_ptr<primary_watch> watch_;   // null without sentinels, and until the first connection
    greeting greeting_;
    node_counts counts_; // its part of them
};

} // namespace penstock::limiter::redis
