// Keeps Redis told of the permits that a worker holds: drives the permit book with a timer and a connection's background
// calls. The shell around the book; decides nothing. Owned by link, used on its thread. I/O.
#pragma once

#include "limiter/redis/permit_book.hpp"
#include "limiter/redis/pipeline.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>

#include <memory>

namespace penstock::limiter::redis {

using holdings = boost::container::static_vector<holding, max_claims>;

class permit_keeper {
public:
    // The connection, as far as the keeper needs it.
    class line {
    public:
        line() = default;
        line(line const&) = delete;
        line& operator=(line const&) = delete;
        // Whether call() would be sent now.
        [[nodiscard]] virtual bool has_room_for_call() const noexcept = 0;
        virtual void call(background_call what) = 0;
        virtual void out_of_step() = 0; // a reply was none to what was asked
        // What keeps the line, and with it the keeper, alive.
        virtual std::weak_ptr<void> lifeline() noexcept = 0;

    protected:
        ~line() = default;
    };

    // `over` outlives the keeper.
    permit_keeper(boost::asio::io_context& worker, line& over) : line_(over), renewal_(worker) {}

    void connected();
    // The connection is gone; what it was asked last may have been granted, to nobody.
    void lost(std::span<permits const> in_doubt);
    // The breaker before the connection has opened: Redis is told nothing until it is closed, and then as on a new connection.
    void pause();
    void resume();

    // One for each claim, if any of them is a concurrency limit's; else none.
    [[nodiscard]] holdings holdings_for(std::span<claim const> asked) const noexcept;

    // A check was answered whose request waited for it.
    void answered(std::span<claim const> asked, base::result<verdict> const& with);
    // Granted to a check that had been given up.
    void granted_late(std::span<permits const> granted);
    void give_back(permits const& taken);
    // Granted without Redis, to a request that lives.
    void hold(permits const& granted);

    // Whether requests hold permits of this key; of any.
    [[nodiscard]] bool holds(std::string_view key) const noexcept { return book_.holds(key); }
    [[nodiscard]] bool holds_any() const noexcept { return !book_.empty(); }

private:
    void begin();
    void end();
    void tell();
    void tell(permit_book::notice const& what);
    void await_renewal();

    line& line_;
    bool connected_ = false;
    bool paused_ = false;
    bool first_ = false; // nothing has been told since begin()
    permit_book book_;
    boost::asio::basic_waitable_timer<base::clock> renewal_;
    base::instant renewal_at_ = base::instant::max();
};

} // namespace penstock::limiter::redis
