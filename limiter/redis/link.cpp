#include "limiter/redis/link.hpp"

#include "limiter/redis/codec.hpp"
#include "limiter/redis/error_reply.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace penstock::limiter::redis {

link::link(boost::asio::io_context& worker, redis_settings const& wanted, std::uint64_t seed, owner& of, shared_parts shared)
    : worker_(worker),
      settings_(wanted),
      owner_(of),
      dialer_(worker, wanted, std::move(shared.tls), seed, *this),
      pipeline_(wanted.max_pending),
      permits_(worker, shared.permits_over ? *shared.permits_over : *this),
      deadline_(worker)
{}

void link::adopt_terms()
{
    dialer_.adopt_terms();
    pipeline_.limit_to(settings_.max_pending);
}

void link::stop()
{
    waking_ = resumption::later; // whoever stops us is not to be overtaken by those who wait
    deadline_.cancel();
    dialer_.stop();
}

// ---- checks

void link::ask(std::span<claim const> asked, base::instant deadline, waiter& who, bool behind_asking)
{
    send({.asked = asked, .deadline = deadline, .who = &who, .asking = behind_asking});
}

void link::send(pipeline::item item)
{
    auto& out = dialer_.outgoing();
    if (item.asking) {
        append_asking(out);
        pipeline_.push({.deadline = item.deadline}); // for its reply, which says nothing
    }
    if (auto const* call = item.call.get()) {
        append_script(out, item.how, {call->what, call->key, call->arguments, settings_.test_clock});
    } else {
        auto const held = permits_.holdings_for(item.asked);
        append_acquire(out, item.how,
                       {.asked = item.asked, .now = base::clock::now(), .holdings = held, .test_now = settings_.test_clock});
    }
    dialer_.flush();
    ++commands_;
    expect_deadline(item.deadline);
    pipeline_.push(std::move(item));
}

// Deadlines nearly always come in the order of the checks, so the timer of the oldest is nearly always armed already.
void link::expect_deadline(base::instant at)
{
    if (at >= deadline_at_) return;
    deadline_at_ = at;
    deadline_.expires_at(at);
    deadline_.async_wait([this, alive = owner_.lifeline()](base::error_code cancelled) {
        auto const self = alive.lock();
        if (self && !cancelled) on_deadline();
    });
}

void link::on_deadline()
{
    deadline_at_ = base::instant::max();
    auto const now = base::clock::now();
    auto const given_up = pipeline_.expire(now);
    if (auto const oldest = pipeline_.oldest_deadline()) {
        // Nothing came for so long that the peer is gone, or might as well be.
        auto const silent_at = *oldest + settings_.connect_timeout;
        auto const next = pipeline_.next_deadline();
        expect_deadline(next ? std::min(*next, silent_at) : silent_at);
        if (silent_at <= now) {
            settle(given_up);
            return dialer_.lost(errc::timed_out);
        }
    }
    settle(given_up);
}

void link::settle(waiter& who)
{
    if (!stopped()) owner_.on_answered(who, error_text_); // stopping is nobody's failure
    who.wake(waking_);
}

void link::settle(std::vector<waiter*> const& all)
{
    auto const alive = lifeline().lock(); // one of them may be the last to need the store
    for (auto* who : all) settle(*who);
}

// ---- background calls

bool link::has_room_for_call() const noexcept { return serving() && !pipeline_.full_of_calls(); }

void link::call(background_call what)
{
    if (has_room_for_call()) {
        auto call = std::make_unique<background_call>(std::move(what));
        auto const how = call->how;
        auto const asking = call->asking;
        return send(
            {.deadline = base::clock::now() + settings_.check_timeout, .call = std::move(call), .how = how, .asking = asking});
    }
    auto const why = serving() ? errc::overloaded : errc::not_connected;
    boost::asio::post(worker_, [this, alive = lifeline(), why, call = std::move(what)] {
        if (auto const self = alive.lock()) settle(call, why);
    });
}

void link::settle(background_call const& call, base::result<reply> const& answer)
{
    if (stopped()) return;
    if (!answer && !call.quiet) owner_.on_background_trouble(answer.error(), error_text_);
    if (call.done) call.done(answer);
}

void link::out_of_step()
{
    owner_.on_background_trouble(errc::protocol, {});
    dialer_.lost(errc::protocol);
}

void link::hold(claim const& what)
{
    if (auto const* limit = std::get_if<concurrency>(&what.algorithm())) permits_.hold({what.key, limit->limit, what.cost});
}

void link::give_back(claim const& what, charge const& taken)
{
    if (auto const* limit = std::get_if<concurrency>(&what.algorithm()))
        return permits_.give_back({what.key, limit->limit, taken.cost});
    if (!serving()) return; // it refills, or its window ends
    call({.what = &scripts::refund, .key = std::string(counter_key(what).view()), .arguments = pack_refund(what, taken)});
}

// ---- the connection

void link::on_connection()
{
    permits_.connected();
    owner_.on_serving();
}

void link::on_dropped()
{
    error_text_.clear();                  // what Redis said was not said to those who wait
    auto const alive = lifeline().lock(); // one of them may be the last to need the store
    auto const ended = pipeline_.fail_all(errc::not_connected);
    permits_.lost(ended.in_doubt);
    settle(ended.waiters);
    for (auto const& call : ended.calls) settle(*call, errc::not_connected);
}

bool link::redirects(background_call& call, std::string_view error)
{
    auto const redirected = std::exchange(call.redirected, nullptr); // not to be moved with the call while it runs
    return redirected && redirected(error, call);
}

void link::on_reply(reply const& answer)
{
    auto taken = pipeline_.take(answer);
    auto const refused = answer.kind == reply::type::error;
    if (refused) error_text_ = shown(answer.text);
    base::error_code why;
    switch (taken.what) {
    case pipeline::step::late: permits_.granted_late(pipeline::granted_late(taken.item, answer)); break;
    case pipeline::step::send_again:
        if (auto& call = taken.item.call; call && call->packed_anew) call->arguments = call->packed_anew();
        send(std::move(taken.item));
        break;
    case pipeline::step::unasked: why = errc::protocol; break;
    case pipeline::step::answered:
        if (refused && taken.item.who->redirected(answer.text)) break;
        permits_.answered(taken.item.asked, taken.item.who->answered());
        if (!taken.item.who->answered()) why = taken.item.who->answered().error();
        settle(*taken.item.who);
        break;
    case pipeline::step::done:
        if (refused && redirects(*taken.item.call, answer.text)) break;
        if (refused) why = errc_of(answer.text);
        settle(*taken.item.call, refused ? base::result<reply>{why} : base::result<reply>{answer});
        break;
    }
    // Not the primary any more: look it up again. Nonsense: whatever follows cannot be trusted either.
    if (serving() && (why == errc::protocol || why == errc::read_only)) dialer_.lost(why, error_text_);
    error_text_.clear();
}

void link::report(node_counts& to) const noexcept
{
    dialer_.report(to);
    to.commands = commands_;
    to.pending = pipeline_.size();
}

} // namespace penstock::limiter::redis
