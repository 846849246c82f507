// What one worker knows of its Redis: drives the connection's machine, the breaker and the pipeline, and tells of changes.
// The shell around them: each event reads the clock once, asks the machines, does what they say. Called by redis_store and
// by its connection, on the worker's thread only. I/O.
#pragma once

#include "limiter/breaker.hpp"
#include "limiter/redis/connection.hpp"
#include "limiter/redis/connection_fsm.hpp"
#include "limiter/redis/permit_keeper.hpp"
#include "limiter/redis/pipeline.hpp"
#include "limiter/redis/redis_store.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include <memory>
#include <optional>

namespace penstock::limiter {

struct redis_store::connection_owner final : redis::connection::listener,
                                             redis::permit_keeper::line,
                                             std::enable_shared_from_this<redis_store::connection_owner> {
public:
    connection_owner(boost::asio::io_context& worker, redis_settings wanted, std::uint64_t seed, state_listener changes);
    ~connection_owner();

    void start();
    void stop();

    // Asks; `who` is woken with the answer, or at the deadline, or soon with the reason why nothing can be asked now.
    void ask(std::span<claim const> asked, base::instant deadline, redis::waiter& who);

    void call(redis::background_call what) override;
    void give_back(claim const& what, charge const& taken);

    [[nodiscard]] counts count() const noexcept;
    [[nodiscard]] boost::asio::io_context& worker() noexcept { return worker_; }

private:
    using timer = boost::asio::basic_waitable_timer<base::clock>;
    using fsm = redis::connection_fsm;
    class prober;

    void on_connected() override;
    void on_bytes(std::span<char const> received) override;
    void on_broken(base::error_code why) override;

    [[nodiscard]] std::optional<errc> refusal() noexcept;
    [[nodiscard]] bool has_room_for_call() const noexcept override;
    void out_of_step() override;
    std::weak_ptr<void> lifeline() noexcept override { return weak_from_this(); }

    void resume(fsm::event what);
    void pace(base::instant until);
    void greet();
    void drop();
    void lost(base::error_code why);
    void take_greeting(redis::reply const& answer);
    void take_answer(redis::reply const& answer);

    void send(redis::pipeline::item item);
    void expect_deadline(base::instant at);
    void on_deadline();
    void settle(redis::waiter& who);
    void settle(std::vector<redis::waiter*> const& all);
    void settle(redis::background_call const& call, base::result<redis::reply> const& answer);

    void note(base::error_code why) noexcept;
    void judge(base::result<verdict> const& answer);
    void failed(errc why);
    void await_probe();
    void probe();
    void probed(base::result<verdict> const& answer);

    [[nodiscard]] std::string target() const;
    void tell(change direction, std::string const& what) const;

    boost::asio::io_context& worker_;
    redis_settings settings_;
    state_listener listener_;
    counts counts_;
    fsm fsm_;
    limiter::breaker breaker_;
    redis::pipeline pipeline_;
    redis::permit_keeper permits_;
    std::unique_ptr<redis::reply_reader> reader_;   // of the present connection
    std::shared_ptr<redis::connection> connection_; // null while pausing
    unsigned greetings_due_ = 0;
    timer pace_;      // of the machine: connect time-out, pause
    timer deadline_;  // of what is pending
    timer probe_due_; // of the breaker
    base::instant deadline_at_ = base::instant::max();
    std::unique_ptr<prober> prober_;
    redis::resumption waking_ = redis::resumption::now;
    std::string error_text_; // of the error reply that is being dealt with
    std::string last_loss_;  // told, and not to be told again until there is a connection
};

} // namespace penstock::limiter
