// One worker's line to one Redis node: the connection, made anew whenever it is lost (sentinels say where), what it has been
// asked, and the permits that it vouches for. The shell around the connection's machine, the pipeline and the permit keeper: each event reads the
// clock once, asks them, does what they say. Knows no breaker: its owner judges. Used by node, on the worker's thread. I/O.
#pragma once

#include "limiter/redis/connection.hpp"
#include "limiter/redis/connection_fsm.hpp"
#include "limiter/redis/greeting.hpp"
#include "limiter/redis/node_state.hpp"
#include "limiter/redis/permit_keeper.hpp"
#include "limiter/redis/pipeline.hpp"
#include "limiter/redis/primary_search.hpp"
#include "limiter/redis/primary_watch.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include <memory>
#include <string>

namespace penstock::limiter::redis {

class link final : public connection::listener, public permit_keeper::line {
public:
    // A connection that is no more, or could not be made.
    struct loss {
        bool served;
        base::error_code why;
        std::string words; // of Redis, TLS or the sentinels, which say more than `why`; or empty
    };
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
        // What keeps the owner, and with it the link, alive.
        virtual std::weak_ptr<void> lifeline() noexcept = 0;

    protected:
        ~owner() = default;
    };

    // `permits_over`: where the keeper of permits sends its calls, if not over this link alone; outlives it.
    link(boost::asio::io_context& worker, redis_settings const& wanted, std::uint64_t seed, owner& of,
         permit_keeper::line* permits_over = nullptr);

    void start() { resume(fsm::event::start); }
    // Closes the connection and answers every waiter, in a later turn of the loop, with not_connected.
    void stop();
    [[nodiscard]] bool serving() const noexcept { return fsm_.now_in() == fsm::state::ready; }
    [[nodiscard]] bool stopped() const noexcept { return fsm_.now_in() == fsm::state::stopped; }
    [[nodiscard]] bool full() const noexcept { return pipeline_.full(); }

    // Asks, while serving(); `who` is woken with the answer, or at the deadline.
    void ask(std::span<claim const> asked, base::instant deadline, waiter& who, bool behind_asking = false);
    void call(background_call what) override;
    void give_back(claim const& what, charge const& taken);
    void hold(claim const& what);
    [[nodiscard]] permit_keeper& held_permits() noexcept { return permits_; }

    [[nodiscard]] std::string target() const; // host:port or path, of the present or next connection
    // Adds what it has counted, and how it is.
    void report(node_counts& to) const noexcept;

private:
    using timer = boost::asio::basic_waitable_timer<base::clock>;
    using fsm = connection_fsm;

    void on_connected() override;
    void on_bytes(std::span<char const> received) override;
    void on_broken(base::error_code why, std::string_view words) override;

    [[nodiscard]] bool has_room_for_call() const noexcept override;
    void out_of_step() override;
    std::weak_ptr<void> lifeline() noexcept override { return owner_.lifeline(); }

    void resume(fsm::event what);
    void locate();
    void watch();
    void moved(redis_address const& to);
    void located(base::result<primary_search::finding, primary_search::failure> const& got);
    void connect();
    void pace(base::instant until);
    void greet();
    void drop();
    void lost(base::error_code why);
    void take_greeting(reply const& answer);
    [[nodiscard]] static bool redirects(background_call& call, std::string_view error);
    void take_answer(reply const& answer);

    void send(pipeline::item item);
    void expect_deadline(base::instant at);
    void on_deadline();
    void settle(waiter& who);
    void settle(std::vector<waiter*> const& all);
    void settle(background_call const& call, base::result<reply> const& answer);

    boost::asio::io_context& worker_;
    redis_settings const& settings_; // the owner's
    owner& owner_;
    tls_context_ptr tls_; // null: in clear
    std::string password_;
    fsm fsm_;
    pipeline pipeline_;
    permit_keeper permits_;
    std::unique_ptr<reply_reader> reader_;   // of the present connection
    std::shared_ptr<connection> connection_; // null while locating or pausing
    std::shared_ptr<primary_search> search_; // null but while locating
    redis_address primary_;                  // as the sentinels say
    std::optional<redis_address> news_;      // where it is now, to be tried before anybody is asked
    std::shared_ptr<primary_watch> watch_;   // null without sentinels, and until the first connection
    std::uint64_t seed_;
    std::size_t sentinel_ = 0; // to be asked first
    greeting greeting_;
    timer pace_;     // of the machine: connect time-out, pause
    timer deadline_; // of what is pending
    base::instant deadline_at_ = base::instant::max();
    resumption waking_ = resumption::now;
    std::string error_text_; // of what is being dealt with: an error reply, a handshake
    node_counts counts_;     // the link's part of them
};

} // namespace penstock::limiter::redis
