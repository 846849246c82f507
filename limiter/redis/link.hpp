// One worker's line to one Redis node: what the connection has been asked, until when, and the permits that it vouches for. The
// shell around the pipeline and the permit keeper; the connection itself is dialer's. Knows no breaker: its owner judges.
// Used by node, on the worker's thread. I/O.
#pragma once

#include "limiter/redis/dialer.hpp"
#include "limiter/redis/node_state.hpp"
#include "limiter/redis/permit_keeper.hpp"
#include "limiter/redis/pipeline.hpp"
#include "limiter/redis/shared_parts.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include <memory>
#include <string>

namespace penstock::limiter::redis {

class link final : public dialer::owner, public permit_keeper::line {
public:
    using loss = dialer::loss;
    // Who asks over it. Called on the worker's thread; must not end the link from within.
    class owner {
    public:
        owner() = default;
        owner(owner const&) = delete;
        owner& operator=(owner const&) = delete;
        // A connection serves: it may be asked from now on.
        virtual void on_serving() = 0;
        virtual void on_lost(loss const& what) = 0;
        // `who` has its answer, and is woken when this returns.
        virtual void on_answered(waiter const& who, std::string_view words) = 0;
        // What nobody waits for went wrong; `words`: of Redis, or empty.
        virtual void on_background_trouble(base::error_code why, std::string_view words) = 0;
        virtual void on_deaf(base::error_code why, std::string const& words) = 0; // as dialer::owner's
        // What keeps the owner, and with it the link, alive.
        virtual std::weak_ptr<void> lifeline() noexcept = 0;

    protected:
        ~owner() = default;
    };

    link(boost::asio::io_context& worker, redis_settings const& wanted, std::uint64_t seed, owner& of, shared_parts shared);

    void start() { dialer_.start(); }
    // The owner's settings have other terms now.
    void adopt_terms();
    void try_at_once() { dialer_.try_at_once(); }
    // Closes the connection and answers every waiter, in a later turn of the loop, with not_connected.
    void stop();
    [[nodiscard]] bool serving() const noexcept { return dialer_.ready(); }
    [[nodiscard]] bool stopped() const noexcept { return dialer_.stopped(); }
    [[nodiscard]] bool full() const noexcept { return pipeline_.full(); }

    // Asks, while serving(); `who` is woken with the answer, or at the deadline.
    void ask(std::span<claim const> asked, base::instant deadline, waiter& who, bool behind_asking = false);
    void call(background_call what) override;
    void give_back(claim const& what, charge const& taken);
    void hold(claim const& what);
    [[nodiscard]] permit_keeper& held_permits() noexcept { return permits_; }

    // Of the present or next connection: host:port or path.
    [[nodiscard]] std::string target() const { return dialer_.target(); }
    // Adds what it has counted, and how it is.
    void report(node_counts& to) const noexcept;

private:
    using timer = boost::asio::basic_waitable_timer<base::clock>;

    void on_connection() override;
    void on_reply(reply const& answer) override;
    void on_lost(loss const& what) override { owner_.on_lost(what); }
    void on_deaf(base::error_code why, std::string const& words) override { owner_.on_deaf(why, words); }
    void on_dropped() override;

    [[nodiscard]] bool has_room_for_call() const noexcept override;
    void out_of_step() override;
    std::weak_ptr<void> lifeline() noexcept override { return owner_.lifeline(); }

    [[nodiscard]] static bool redirects(background_call& call, std::string_view error);
    void send(pipeline::item item);
    void expect_deadline(base::instant at);
    void on_deadline();
    void settle(waiter& who);
    void settle(std::vector<waiter*> const& all);
    void settle(background_call const& call, base::result<reply> const& answer);

    boost::asio::io_context& worker_;
    redis_settings const& settings_; // the owner's
    owner& owner_;
    dialer dialer_;
    pipeline pipeline_;
    permit_keeper permits_;
    timer deadline_; // of what is pending
    base::instant deadline_at_ = base::instant::max();
    resumption waking_ = resumption::now;
    std::string error_text_;     // the error reply that is being dealt with
    std::uint64_t commands_ = 0; // sent
};

} // namespace penstock::limiter::redis
