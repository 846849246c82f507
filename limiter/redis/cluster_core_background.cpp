// What no request waits for: background calls, permits given back, permits that are held.
#include "limiter/redis/cluster_core.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace penstock::limiter {

void cluster_store::core::call(redis::background_call what)
{
    if (auto* node = node_of(what.key)) return send_call(std::move(what), *node, 0);
    boost::asio::post(worker_, [weak = weak_from_this(), call = std::move(what)] {
        auto const self = weak.lock();
        if (!self || self->stopped_) return;
        self->on_trouble(errc::not_connected);
        if (call.done) call.done(make_error_code(errc::not_connected));
    });
}

void cluster_store::core::send_call(redis::background_call what, redis::cluster_node& to, unsigned redirections)
{
    what.redirected = [weak = weak_from_this(), by = to.weak_from_this(), redirections](std::string_view error,
                                                                                        redis::background_call& call) {
        auto const self = weak.lock();
        auto const from = by.lock();
        return self && from && self->redirect(call, error, *from, redirections);
    };
    to.store().call(std::move(what));
}

// A call of the background has one key: it is never told to try again.
bool cluster_store::core::redirect(redis::background_call& call, std::string_view error, redis::cluster_node& by,
                                   unsigned redirections)
{
    using kind = redis::redirection::kind;
    auto const told = redis::read_redirection(error);
    if (told.what != kind::moved && told.what != kind::ask) return false;
    auto* to = redirections < most_redirections && !stopped_ ? nodes_.node_at(told.to, by) : nullptr;
    if (!to) return false;
    note(told, *to);
    call.asking = told.what == kind::ask;
    call.how = redis::calling::by_digest;
    if (call.packed_anew) call.arguments = call.packed_anew();
    send_call(std::move(call), *to, redirections + 1);
    return true;
}

void cluster_store::core::give_back(claim const& what, charge const& taken)
{
    if (stopped_) return;
    if (auto const* limit = std::get_if<concurrency>(&what.algorithm())) {
        auto left = taken;
        left.cost -= unplaced_.give_back({what.key, limit->limit, taken.cost});
        if (left.cost == 0) return;
        if (auto* holder = nodes_.holder_of(what.key.view())) holder->store().give_back(what, left);
        return;
    }
    call({.what = &redis::scripts::refund,
          .key = std::string(redis::counter_key(what).view()),
          .arguments = redis::pack_refund(what, taken)});
}

redis::cluster_node* cluster_store::core::node_of(std::string_view key) const noexcept
{
    return nodes_.knows_slots() && !stopped_ ? nodes_.owner_of(redis::slot_of(key)) : nullptr;
}

// By the node that last had the slot, even if it is dead: where the key is by then, its keeper finds out.
void cluster_store::core::hold(claim const& what)
{
    auto const* limit = std::get_if<concurrency>(&what.algorithm());
    if (!limit || stopped_) return;
    if (auto* node = node_of(what.key.view())) return node->store().hold(what);
    unplaced_.hold({what.key, limit->limit, what.cost});
}

} // namespace penstock::limiter
