#include "gateway/queueing.hpp"

#include "gateway/limit_check.hpp"
#include "gateway/worker.hpp"
#include "gateway/workspace.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace penstock::gateway {
namespace asio = boost::asio;

// Where it is called: shared, because a call may be on its way when the request is over.
class queueing::seat final : public limiter::waiter, public std::enable_shared_from_this<seat> {
public:
    explicit seat(asio::io_context& loop) : timer(loop) {}

    void call(reason why) noexcept override
    {
        asio::post(timer.get_executor(), [self = shared_from_this(), why] { self->note(why); });
    }

    asio::steady_timer timer; // exact, where the wheel of deadlines is coarse
    bool called = false;
    bool pushed_out = false;

private:
    void note(reason why)
    {
        called = true;
        pushed_out = pushed_out || why == reason::pushed_out;
        timer.cancel();
    }
};

queueing::queueing(worker& owner, configuration_view const& view, proxy::stream& client, workspace& space,
                   access_record& record)
    : owner_(owner),
      view_(view),
      room_(owner.parts().waiting),
      client_(client),
      space_(space),
      asked_(space.asking()),
      record_(record)
{
    visitor_.number = room_.arrive();
    client_.listen_for_closure(this);
}

queueing::~queueing()
{
    client_.listen_for_closure(nullptr);
    leave_queue();
}

asio::awaitable<queueing::outcome> queueing::run()
{
    for (;;) {
        auto const ahead = room_.find_ahead(asked_, visitor_.number);
        if (!ahead) {
            co_await ask();
            if (has_left()) {
                if (space_.gate.verdict == limiter::admission_ruling::kind::admitted)
                    limiter::give_back(view_.stores, asked_, space_.gate, limiter::extent::everything);
                co_return outcome::client_left;
            }
            auto const plan = limiter::plan_wait(asked_, space_.gate, {record_.started, base::clock::now()});
            if (!plan || !queue_up(*plan)) co_return outcome::ruled;
        } else if (plan_ && *ahead == plan_->place) {
            plan_->ask_again = base::instant::max(); // somebody came in between; it is called when they have gone
        } else {
            if (!queue_up_behind(*ahead)) co_return outcome::ruled;
            if (!plan_) continue; // they have gone already
        }

        co_await wait();
        if (has_left()) co_return outcome::client_left;
        if (seat_->pushed_out || base::clock::now() >= plan_->deadline) {
            auto const place = plan_->place;
            leave_queue();
            refuse(place);
            co_return outcome::ruled;
        }
    }
}

asio::awaitable<void> queueing::ask()
{
    visitor_.releases_seen = room_.releases();
    auto const now = base::clock::now();
    if (is_counted_here(view_, space_)) {
        check_memory(owner_, space_, now);
        co_return;
    }
    auto const spent = plan_ ? base::micros{0} : record_.check_time; // in the stage before
    auto const took = co_await check_fleet(owner_, view_, space_, now, spent);
    if (!plan_) record_.check_time += took; // what is asked later is part of the wait
}

asio::awaitable<void> queueing::wait()
{
    if (!has_left() && !seat_->called) {
        seat_->timer.expires_after(std::min(plan_->ask_again, plan_->deadline) - base::clock::now());
        auto const [ignored] = co_await seat_->timer.async_wait(asio::as_tuple(asio::use_awaitable));
        static_cast<void>(ignored); // called or not: whose turn it is, is looked up
    }
    seat_->called = false;
}

bool queueing::queue_up(limiter::wait_plan const& plan)
{
    if (plan_ && plan_->place != plan.place) leave_queue();
    take_seat();
    auto const& one = space_.gate.rulings[plan.place];
    limiter::last_refusal const told{.decision = one.decision, .by = one.by, .at = one.at, .heard = base::clock::now()};
    auto const& where = asked_[plan.place];
    if (room_.enter(where, visitor_, told) != limiter::waiting_room::entrance::entered) {
        ++counts_of(plan.place).full;
        return false;
    }
    note_entrance(plan);
    return true;
}

bool queueing::queue_up_behind(std::size_t place)
{
    leave_queue();
    take_seat();
    auto const& where = asked_[place];
    auto const came_to = room_.enter_behind(where, visitor_);
    if (came_to == limiter::waiting_room::entrance::entered)
        note_entrance(limiter::plan_wait_behind(where, place, record_.started));
    if (came_to != limiter::waiting_room::entrance::full) return true;
    ++counts_of(place).full;
    refuse(place);
    return false;
}

void queueing::take_seat()
{
    if (!seat_) visitor_.who = seat_ = std::make_shared<seat>(client_.events().worker());
}

void queueing::note_entrance(limiter::wait_plan const& plan)
{
    if (!plan_) {
        queued_at_ = base::clock::now();
        ++counts_of(plan.place).waiting;
    }
    plan_ = plan;
}

void queueing::leave_queue()
{
    if (!plan_) return;
    room_.leave(asked_[plan_->place], visitor_);
    auto const waited = base::clock::now() - queued_at_;
    auto& counts = counts_of(plan_->place);
    --counts.waiting;
    counts.waited.observe(waited);
    record_.queued += waited;
    plan_.reset();
}

void queueing::refuse(std::size_t place)
{
    space_.gate = limiter::refuse_waiter(asked_, place, visitor_.refusal, base::clock::now());
}

bool queueing::has_left() const noexcept { return has_left_ || client_.is_peer_gone() || owner_.stopping(); }

void queueing::on_peer_closed()
{
    has_left_ = true;
    if (seat_) seat_->timer.cancel();
}

telemetry::queue_counts& queueing::counts_of(std::size_t place) const
{
    return *view_.limit_counts[asked_[place].policy->id.value()]->queue;
}

} // namespace penstock::gateway
