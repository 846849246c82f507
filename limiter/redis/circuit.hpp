// Drives the breaker of one Redis node: tells it how the checks went, and sends the probe that closes it again. The shell
// around limiter::breaker; decides no more than what to probe with. Owned by node, used on its thread. I/O (a timer).
#pragma once

#include "limiter/breaker.hpp"
#include "limiter/claim.hpp"
#include "limiter/redis/pipeline.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace penstock::limiter::redis {

class circuit {
public:
    // The way to the node, as far as a probe needs it.
    class line {
    public:
        line() = default;
        line(line const&) = delete;
        line& operator=(line const&) = delete;
        [[nodiscard]] virtual bool serving() const noexcept = 0;
        [[nodiscard]] virtual bool stopped() const noexcept = 0;
        virtual void send_probe(std::span<claim const> asked, waiter& who) = 0;
        // Likewise, as a call of which nobody else is told.
        virtual void send_probe(background_call what) = 0;
        virtual void on_trouble(base::error_code why) = 0;
        virtual void on_opened(errc why, std::string_view words) = 0;
        // A probe was answered: what had gone wrong is over.
        virtual void on_recovered() = 0;
        // What keeps the line, and with it the circuit, alive.
        virtual std::weak_ptr<void> lifeline() noexcept = 0;

    protected:
        ~line() = default;
    };

    // `over` outlives it.
    circuit(boost::asio::io_context& worker, redis_settings const& wanted, std::uint64_t seed, line& over);
    ~circuit();

    [[nodiscard]] bool may_ask() const noexcept { return breaker_.may_ask(); }
    [[nodiscard]] breaker::state now_in() const noexcept { return breaker_.now_in(); }
    // From now on; in a cluster a key of a slot that the node has.
    void probe_with(std::string_view key);
    [[nodiscard]] bool is_probe(waiter const& who) const noexcept;

    // How a check went; `words`: of Redis' own error, or empty.
    void succeeded() noexcept { breaker_.succeeded(); }
    void failed(errc why, std::string_view words);
    // Of the probe's answer, as of a check's.
    void hear(std::string_view words) { words_ = words; }
    // A new connection serves. It is probed if the breaker is open, and if it is to `prove` itself: after a loss.
    enum class trust : std::uint8_t { at_once, when_proven };
    void connected(trust how);
    // Other figures of the breaker, from now on.
    void adopt(redis_terms const& next);
    // Somebody else has found Redis well.
    void probe_at_once();
    void stop();

private:
    static constexpr base::micros prove_again_after{1'000'000};
    class prober;
    void await_probe();
    void await_proof();
    void probe();
    void probe_rights();
    void probed(base::error_code failed_with);

    line& line_;
    limiter::breaker breaker_;
    boost::asio::basic_waitable_timer<base::clock> probe_due_;
    std::unique_ptr<prober> prober_;
    bool probing_ = false;     // the probe is under way: there is only one
    bool lacks_right_ = false; // it was opened by a right that some call lacked, which is not to be found out by callers again
    std::string words_;        // see hear()
};

} // namespace penstock::limiter::redis
