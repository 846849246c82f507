#include "limiter/redis/cluster_node.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace penstock::limiter::redis {

void cluster_node::start(redis_settings wanted, tls_context_ptr tls, std::uint64_t seed)
{
    address_ = {wanted.host, wanted.port};
    auto const listener = [this](change direction, notice const& what) { changed(direction, what); };
    store_ = std::make_unique<redis_store>(worker_, std::move(wanted), seed, listener,
                                           shared_parts{.permits_over = this, .tls = std::move(tls)});
}

void cluster_node::changed(change direction, notice const& what)
{
    auto named = what;
    named.node = to_string(address_);
    if (what.text.find(named.node) == std::string::npos) named.text = named.node + ": " + what.text;
    if (direction == change::remark) return cluster_.tell_remark(named);
    auto const was_in_trouble = std::exchange(in_trouble_, direction == change::worse);
    good_news_.reset();
    if (was_in_trouble && !in_trouble_) good_news_ = named;
    if (in_trouble_) cluster_.tell_worse(named);
    // Posted: told from within the store, which may not be asked from there.
    boost::asio::post(worker_, [weak = weak_from_this(), cluster = cluster_.lifeline()] {
        auto const self = weak.lock();
        if (!self || !cluster.lock()) return;
        self->is_new_ = false;
        self->cluster_.on_changed(*self);
    });
}

void cluster_node::retire()
{
    store_->stop();
    auto& held = store_->held_permits();
    held.resume(); // its breaker is no matter to the others
    if (held.holds_any()) held.connected();
}

// The keeper of a retired node was connected by retire(), so no connection that ends tells it to rest.
void cluster_node::stop()
{
    store_->stop();
    store_->held_permits().lost({});
}

// The keeper may be gone when the answer comes: the node is kept only as long as it holds permits.
void cluster_node::call(background_call what)
{
    what.done = [alive = weak_from_this(), done = std::move(what.done)](base::result<reply> const& answer) {
        if (auto const self = alive.lock(); self && done) done(answer);
    };
    if (what.packed_anew) {
        what.packed_anew = [alive = weak_from_this(), same = what.arguments, anew = std::move(what.packed_anew)] {
            auto const self = alive.lock();
            return self ? anew() : same;
        };
    }
    cluster_.call(std::move(what));
}

void cluster_node::out_of_step() { cluster_.on_trouble(errc::protocol); }

} // namespace penstock::limiter::redis
