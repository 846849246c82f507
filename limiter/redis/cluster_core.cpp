#include "limiter/redis/cluster_core.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace penstock::limiter {

namespace {

// Whether another node might serve where this one did not.
bool may_have_moved(base::error_code why) noexcept
{
    return why != errc::overloaded && why != errc::script && why != errc::out_of_memory && why != errc::busy;
}

} // namespace

cluster_store::core::core(boost::asio::io_context& worker, redis_settings const& wanted, std::uint64_t seed,
                          state_listener listener)
    : worker_(worker),
      terms_(wanted),
      listener_(std::move(listener)),
      nodes_(worker, wanted, seed, *this),
      waiting_(worker, *this),
      slots_outage_(wanted.breaker, ~seed)
{}

void cluster_store::core::adopt(redis_terms const& next)
{
    terms_ = next;
    slots_outage_.adopt(next.breaker, base::clock::now());
    nodes_.adopt(next);
}

void cluster_store::core::stop()
{
    if (std::exchange(stopped_, true)) return;
    for (auto const& each : waiting_.stop()) {
        each.which->answer(errc::not_connected);
        answered(*each.which, redis::resumption::later);
    }
    nodes_.stop();
}

// ---- checks

std::unique_ptr<redis::cluster_request> cluster_store::core::take_spare()
{
    if (spare_.empty()) return std::make_unique<redis::cluster_request>(static_cast<redis::call_carrier&>(*this));
    auto one = std::move(spare_.back());
    spare_.pop_back();
    return one;
}

void cluster_store::core::ask(std::span<claim const> asked, base::instant deadline, redis::waiter& who)
{
    auto& request = *take_spare().release(); // done() has it again
    request.begin(asked, std::min(deadline, base::clock::now() + terms_.check_timeout), who);
    auto const calls = request.calls();
    if (request.is_split()) ++cluster_counts_.split;
    request.due = static_cast<unsigned>(calls) + 1; // so that none of them ends it before all are sent
    for (std::size_t i = 0; i < calls; ++i) send(request.call(i));
    if (--request.due == 0) done(request, redis::resumption::later);
}

void cluster_store::core::send(redis::cluster_call& which)
{
    if (!nodes_.knows_slots()) {
        if (!slots_outage_.may_wait()) return fail(which, errc::breaker_open);
        return wait(which, which.request.deadline, reason::slots);
    }
    if (auto* node = nodes_.owner_of(which.part.slot)) return send_to(which, *node, false);
    fail(which, errc::cluster);
}

void cluster_store::core::send_to(redis::cluster_call& which, redis::cluster_node& node, bool behind_asking)
{
    which.node = &node;
    auto& store = node.store();
    if (node.is_new() && !store.serving())
        wait(which, which.request.deadline, behind_asking ? reason::asking : reason::connection);
    else if (behind_asking)
        store.ask_behind_asking(which.asked, which.request.deadline, which);
    else
        store.ask(which.asked, which.request.deadline, which);
}

void cluster_store::core::fail(redis::cluster_call& which, errc why)
{
    on_trouble(why);
    which.answer(why);
    answered(which, redis::resumption::later);
}

void cluster_store::core::answered(redis::cluster_call& which, redis::resumption when)
{
    auto& request = which.request;
    // Who has a slot that nobody has is no question of a caller: they come by the thousand, and it may stay so.
    auto const node_failed = which.node && !which.said() && may_have_moved(which.said().error());
    if (node_failed && !stopped_) nodes_.refresh();
    if (--request.due == 0) done(request, when);
}

// Everything is charged or nothing.
void cluster_store::core::done(redis::cluster_request& request, redis::resumption when)
{
    std::unique_ptr<redis::cluster_request> owned(&request);
    auto& who = *request.who;
    if (request.is_split()) {
        auto const parts = request.answers();
        auto whole = redis::merge(request.asked.size(), parts);
        for (auto const& part : parts)
            if (redis::is_charged_in_vain(part, whole)) give_back_in_vain(part);
        who.answer(std::move(whole));
    } else {
        who.answer(std::move(request.call(0).said()));
    }
    if (spare_.size() < most_spare_requests) spare_.push_back(std::move(owned));
    who.wake(when); // the last that happens here: it may end the store
}

void cluster_store::core::give_back_in_vain(redis::part_answer const& part)
{
    for (std::size_t i = 0; i < part.asked.size(); ++i) {
        auto const taken = redis::charge_of(part, i);
        if (!taken) continue;
        ++cluster_counts_.given_back;
        give_back(part.asked[i], *taken);
    }
}

bool cluster_store::core::redirect(redis::cluster_call& which, std::string_view error)
{
    using kind = redis::redirection::kind;
    auto const told = redis::read_redirection(error);
    if (told.what == kind::none || stopped_) return false;
    if (told.what == kind::try_again) {
        ++cluster_counts_.tried_again;
        auto const again_at = base::clock::now() + try_again_after;
        if (std::exchange(which.tried_again, true) || again_at >= which.request.deadline) return take_apart(which);
        wait(which, again_at, reason::keys);
        return true;
    }
    auto* to = which.redirections++ < most_redirections ? nodes_.node_at(told.to, *which.node) : nullptr;
    if (!to) return false;
    note(told, *to);
    send_to(which, *to, told.what == kind::ask);
    return true;
}

void cluster_store::core::note(redis::redirection const& told, redis::cluster_node& to)
{
    if (told.what == redis::redirection::kind::ask) {
        ++cluster_counts_.asked;
        return;
    }
    ++cluster_counts_.moved;
    nodes_.moved(told.slot, to);
    nodes_.refresh();
}

// Keys that are on their way one by one are asked about one by one: a call with one key always has an answer.
bool cluster_store::core::take_apart(redis::cluster_call& which)
{
    auto& request = which.request;
    auto const before = request.calls();
    auto const was_split = request.is_split();
    if (!request.split_by_key(which)) return false;
    if (!was_split) ++cluster_counts_.split;
    auto const calls = request.calls();
    request.due += static_cast<unsigned>(calls - before) + 1;
    send(which);
    for (auto i = before; i < calls; ++i) send(request.call(i));
    if (--request.due == 0) done(request, redis::resumption::later);
    return true;
}

// ---- calls that wait

void cluster_store::core::wait(redis::cluster_call& which, base::instant until, reason why)
{
    if (stopped_)
        fail(which, errc::not_connected);
    else if (!waiting_.add({&which, until, why}))
        fail(which, errc::overloaded);
}

void cluster_store::core::on_due(std::vector<redis::waiting_call> const& due, base::instant now)
{
    redis::cluster_request const* last = nullptr; // whose calls stand side by side: they have waited in vain once
    for (auto const& each : due) {
        auto& call = *each.which;
        if (each.why == reason::keys) {
            send(call);
            continue;
        }
        if (each.why != reason::slots)
            call.node->store().waited_in_vain(); // it is still there: whenever nodes leave, who waits is sent anew
        else if (std::exchange(last, &call.request) != &call.request)
            missed_slots(errc::not_connected, now);
        fail(call, errc::not_connected);
    }
}

// Each node has a breaker, which stands before the calls that wait for it; this one stands before those that wait for a node.
void cluster_store::core::missed_slots(errc why, base::instant now)
{
    if (stopped_ || !slots_outage_.failed(why, now)) return;
    tell_worse(slots_outage_.trouble());
    retry(nullptr); // who waits for slots now is told so
}

// The slots, or this one node, have changed: who waited for that goes on, or learns that it was in vain.
void cluster_store::core::retry(redis::cluster_node* now_changed)
{
    auto const waited_for_that = [now_changed](redis::waiting_call const& each) {
        return each.why != reason::keys && (!now_changed || each.which->node == now_changed);
    };
    for (auto const& each : waiting_.take(waited_for_that)) {
        if (!now_changed)
            send(*each.which);
        else if (now_changed->store().serving())
            send_to(*each.which, *now_changed, each.why == reason::asking);
        else
            fail(*each.which, errc::not_connected);
    }
}

void cluster_store::core::on_changed(redis::cluster_node& which)
{
    if (stopped_) return;
    retry(&which);
    nodes_.review();
    if (!which.store().serving()) nodes_.refresh();
}

void cluster_store::core::on_no_slots(errc why)
{
    on_trouble(why);
    missed_slots(why, base::clock::now());
}

void cluster_store::core::on_slots()
{
    slots_outage_.ends(base::clock::now());
    unplaced_.place([this](redis::permits const& each) {
        auto* node = node_of(each.key.view());
        if (node) node->store().held_permits().hold(each);
        return node != nullptr;
    });
    retry(nullptr);
}

bool cluster_store::core::can_ask(claim const& about) const noexcept
{
    auto const* node = node_of(about.key.view());
    return node && node->store().can_ask(about);
}

bool cluster_store::core::breaker_is_open(claim const& about) const noexcept
{
    auto const* node = node_of(about.key.view());
    return node && node->store().breaker_is_open(about);
}

// ---- what there is to say

void cluster_store::core::tell_worse(redis::notice const& what)
{
    nodes_.trouble_was_told();
    if (listener_) listener_(change::worse, what);
}

void cluster_store::core::tell_remark(redis::notice const& what)
{
    if (listener_) listener_(change::remark, what);
}

void cluster_store::core::tell_better(redis::notice const& what)
{
    if (listener_) listener_(change::better, what);
}

void cluster_store::core::on_trouble(base::error_code why)
{
    if (why.category() != error_category()) return;
    auto const index = static_cast<std::size_t>(why.value());
    if (index < counts_.errors.size()) ++counts_.errors[index];
}

cluster_store::counts cluster_store::core::count() const
{
    auto total = nodes_.count();
    for (std::size_t i = 0; i < total.errors.size(); ++i) total.errors[i] += counts_.errors[i];
    total.breaker_state = std::max(total.breaker_state, static_cast<unsigned>(slots_outage_.now_in()));
    if (total.trouble.empty()) total.trouble = slots_outage_.trouble();
    return total;
}

redis::cluster_counts cluster_store::core::count_cluster() const
{
    auto counted = cluster_counts_;
    counted.nodes = nodes_.owner_count();
    counted.refreshes = nodes_.refreshes();
    counted.refreshes_failed = nodes_.refreshes_failed();
    return counted;
}

} // namespace penstock::limiter
