// A request that may wait for its limits: asks them when it is its turn, waits in the queue of one that refuses, until it is
// admitted, refused for good, or its client has left. What is decided, limiter/wait_plan and limiter/waiting_room decide.
// I/O; lives on a coroutine frame of the exchange, on its worker's thread.
#pragma once

#include "gateway/access_record.hpp"
#include "gateway/configuration_view.hpp"
#include "limiter/wait_plan.hpp"
#include "limiter/waiting_room.hpp"
#include "proxy/stream.hpp"

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <optional>
#include <span>

namespace penstock::gateway {

class worker;
struct workspace;

class queueing final : private proxy::closure_listener {
public:
    // Everything outlives it. `record.started` is when the request came.
    queueing(worker& owner, configuration_view const& view, proxy::stream& client, workspace& space, access_record& record);
    queueing(queueing const&) = delete;
    queueing& operator=(queueing const&) = delete;
    ~queueing() override;

    enum class outcome : std::uint8_t {
        ruled,       // space.gate says how
        client_left, // nothing is charged
    };
    boost::asio::awaitable<outcome> run();

private:
    class seat;

    boost::asio::awaitable<void> ask();
    boost::asio::awaitable<void> wait();
    bool queue_up(limiter::wait_plan const& plan); // false: no room, the refusal in space.gate stands
    bool queue_up_behind(std::size_t place); // false: no room, space.gate is a refusal; true without `plan_`: nobody ahead
    void take_seat();
    void note_entrance(limiter::wait_plan const& plan);
    void leave_queue();
    void refuse(std::size_t place); // by the limit in whose queue it has waited in vain
    void on_peer_closed() override;
    [[nodiscard]] bool has_left() const noexcept; // or must: the worker ends
    [[nodiscard]] telemetry::queue_counts& counts_of(std::size_t place) const;

    worker& owner_;
    configuration_view const& view_;
    limiter::waiting_room& room_;
    proxy::stream& client_;
    workspace& space_;
    std::span<limiter::claim const> asked_; // that it waits for
    access_record& record_;
    limiter::visitor visitor_;
    std::shared_ptr<seat> seat_;             // from the first wait on
    std::optional<limiter::wait_plan> plan_; // where it waits
    base::instant queued_at_{};              // when it entered this queue
    bool has_left_ = false;
};

} // namespace penstock::gateway
