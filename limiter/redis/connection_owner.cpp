#include "limiter/redis/connection_owner.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace penstock::limiter {

using redis::pipeline;

// The probe of an open breaker: the script itself, on a key of its own, with a charge, so that what would refuse a request
// (a replica, full memory, a missing permission) refuses the probe. It is no user's request.
class redis_store::connection_owner::prober final : public redis::waiter {
public:
    prober(connection_owner& owner, std::string_view key) noexcept : waiter(result_), owner_(owner)
    {
        policy_.quota.algorithm = token_bucket{.capacity = 1'000'000, .interval_us = 1};
        claim_.policy = &policy_;
        claim_.key.append(key);
    }
    [[nodiscard]] std::span<claim const> claims() const noexcept { return {&claim_, 1}; }
    void wake(redis::resumption) override { owner_.probed(answered()); }

private:
    base::result<verdict> result_{errc::not_connected};
    connection_owner& owner_;
    policy policy_;
    claim claim_;
};

redis_store::connection_owner::connection_owner(boost::asio::io_context& worker, redis_settings wanted, std::uint64_t seed,
                                                state_listener changes)
    : worker_(worker),
      settings_(std::move(wanted)),
      listener_(std::move(changes)),
      fsm_(settings_.connect_timeout, seed),
      breaker_(settings_.breaker, ~seed),
      pipeline_(settings_.max_pending),
      permits_(worker, *this),
      pace_(worker),
      deadline_(worker),
      probe_due_(worker),
      prober_(std::make_unique<prober>(*this, settings_.probe_key))
{}

redis_store::connection_owner::~connection_owner() = default;

void redis_store::connection_owner::start() { resume(fsm::event::start); }

void redis_store::connection_owner::stop()
{
    waking_ = redis::resumption::later; // whoever stops us is not to be overtaken by those who wait
    resume(fsm::event::stop);
}

redis_store::counts redis_store::connection_owner::count() const noexcept
{
    auto counted = counts_;
    counted.up = fsm_.now_in() == fsm::state::ready;
    counted.breaker_state = static_cast<unsigned>(breaker_.now_in());
    return counted;
}

// ---- checks

// Why nothing can be asked now, if so.
std::optional<errc> redis_store::connection_owner::refusal() noexcept
{
    std::optional<errc> why;
    if (!breaker_.may_ask())
        why = errc::breaker_open;
    else if (fsm_.now_in() != fsm::state::ready)
        why = errc::not_connected;
    else if (pipeline_.full())
        why = errc::overloaded;
    if (why) note(*why);
    return why;
}

void redis_store::connection_owner::ask(std::span<claim const> asked, base::instant deadline, redis::waiter& who)
{
    if (auto const refused = refusal()) {
        who.answer(*refused);
        return who.wake(redis::resumption::later);
    }
    auto const until = std::min(deadline, base::clock::now() + settings_.check_timeout);
    send({.asked = asked, .deadline = until, .who = &who});
}

void redis_store::connection_owner::send(pipeline::item item)
{
    auto& out = connection_->outgoing();
    if (auto const* call = item.call.get()) {
        append_script(out, item.how, {call->what, call->key, call->arguments, settings_.test_clock});
    } else {
        auto const held = permits_.holdings_for(item.asked);
        append_acquire(out, item.how,
                       {.asked = item.asked, .now = base::clock::now(), .holdings = held, .test_now = settings_.test_clock});
    }
    connection_->flush();
    ++counts_.commands;
    expect_deadline(item.deadline);
    pipeline_.push(std::move(item));
}

// Deadlines nearly always come in the order of the checks, so the timer of the oldest is nearly always armed already.
void redis_store::connection_owner::expect_deadline(base::instant at)
{
    if (at >= deadline_at_) return;
    deadline_at_ = at;
    deadline_.expires_at(at);
    deadline_.async_wait([weak = weak_from_this()](base::error_code cancelled) {
        auto const self = weak.lock();
        if (self && !cancelled) self->on_deadline();
    });
}

void redis_store::connection_owner::on_deadline()
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
            return lost(errc::timed_out);
        }
    }
    settle(given_up);
}

void redis_store::connection_owner::settle(redis::waiter& who)
{
    // Stopping is nobody's failure.
    if (fsm_.now_in() != fsm::state::stopped && &who != prober_.get()) judge(who.answered());
    who.wake(waking_);
}

void redis_store::connection_owner::settle(std::vector<redis::waiter*> const& all)
{
    auto const self = shared_from_this(); // one of them may be the last to need the store
    for (auto* who : all) settle(*who);
}

// ---- background calls

bool redis_store::connection_owner::has_room_for_call() const noexcept
{
    return fsm_.now_in() == fsm::state::ready && !pipeline_.full_of_calls();
}

void redis_store::connection_owner::call(redis::background_call what)
{
    if (has_room_for_call()) {
        auto call = std::make_unique<redis::background_call>(std::move(what));
        auto const how = call->how;
        return send({.deadline = base::clock::now() + settings_.check_timeout, .call = std::move(call), .how = how});
    }
    auto const why = fsm_.now_in() == fsm::state::ready ? errc::overloaded : errc::not_connected;
    boost::asio::post(worker_, [weak = weak_from_this(), why, call = std::move(what)] {
        if (auto const self = weak.lock()) self->settle(call, why);
    });
}

void redis_store::connection_owner::settle(redis::background_call const& call, base::result<redis::reply> const& answer)
{
    if (fsm_.now_in() == fsm::state::stopped) return;
    if (!answer) note(answer.error());
    if (call.done) call.done(answer);
}

void redis_store::connection_owner::out_of_step()
{
    note(errc::protocol);
    lost(errc::protocol);
}

void redis_store::connection_owner::give_back(claim const& what, charge const& taken)
{
    if (auto const* limit = std::get_if<concurrency>(&what.algorithm()))
        return permits_.give_back({what.key, limit->limit, taken.cost});
    if (fsm_.now_in() != fsm::state::ready) return; // it refills, or its window ends
    call({.what = &redis::scripts::refund,
          .key = std::string(redis::counter_key(what).view()),
          .arguments = redis::pack_refund(what, taken)});
}

// ---- the breaker

void redis_store::connection_owner::note(base::error_code why) noexcept
{
    if (why.category() != error_category()) return;
    auto const index = static_cast<std::size_t>(why.value());
    if (index < counts_.errors.size()) ++counts_.errors[index];
}

void redis_store::connection_owner::judge(base::result<verdict> const& answer)
{
    if (answer) return breaker_.succeeded();
    note(answer.error());
    failed(static_cast<errc>(answer.error().value()));
}

void redis_store::connection_owner::failed(errc why)
{
    auto const now = base::clock::now();
    auto opened = false;
    switch (why) {
    case errc::loading:
    case errc::refused_login: opened = breaker_.failed_for_sure(now); break;
    case errc::timed_out:
    case errc::not_connected:
    case errc::read_only:
    case errc::cluster:
    case errc::out_of_memory:
    case errc::busy:
    case errc::protocol: opened = breaker_.failed(now); break;
    // Our own doing, or one key's: no reason to stop asking about the others.
    case errc::breaker_open:
    case errc::overloaded:
    case errc::script: break;
    }
    if (!opened) return;
    auto what = "breaker open: " + std::string(name_of(why));
    if (!error_text_.empty()) what += ": " + error_text_;
    tell(change::worse, what);
    await_probe();
}

void redis_store::connection_owner::await_probe()
{
    probe_due_.expires_at(breaker_.probe_at());
    probe_due_.async_wait([weak = weak_from_this()](base::error_code cancelled) {
        auto const self = weak.lock();
        if (!self || cancelled || self->fsm_.now_in() != fsm::state::ready) return; // a new connection brings its own probe
        if (self->breaker_.start_probe(base::clock::now())) self->probe();
    });
}

void redis_store::connection_owner::probe()
{
    send({.asked = prober_->claims(), .deadline = base::clock::now() + settings_.check_timeout, .who = prober_.get()});
}

void redis_store::connection_owner::probed(base::result<verdict> const& answer)
{
    if (fsm_.now_in() == fsm::state::stopped) return;
    if (answer) {
        breaker_.probe_succeeded();
        return tell(change::better, "breaker closed");
    }
    note(answer.error());
    breaker_.probe_failed(base::clock::now());
    await_probe();
}

// ---- the connection

void redis_store::connection_owner::resume(fsm::event what)
{
    using verb = fsm::action::verb;
    auto const next = fsm_.resume(what, base::clock::now());
    switch (next.what) {
    case verb::nothing: break;
    case verb::connect:
        pace(next.until);
        reader_ = std::make_unique<redis::reply_reader>();
        connection_ = std::make_shared<redis::connection>(worker_, *this);
        connection_->open(settings_);
        break;
    case verb::greet: greet(); break;
    case verb::serve:
        pace_.cancel();
        ++counts_.connects;
        last_loss_.clear();
        tell(change::better, "connected to " + target());
        permits_.connected();
        if (breaker_.start_probe_on_new_connection()) probe();
        break;
    case verb::pause:
        pace(next.until);
        drop();
        break;
    case verb::close:
        pace_.cancel();
        deadline_.cancel();
        probe_due_.cancel();
        drop();
        break;
    }
}

void redis_store::connection_owner::pace(base::instant until)
{
    pace_.expires_at(until);
    pace_.async_wait([weak = weak_from_this()](base::error_code cancelled) {
        auto const self = weak.lock();
        if (!self || cancelled) return;
        if (self->fsm_.now_in() == fsm::state::pausing)
            self->resume(fsm::event::timer);
        else
            self->lost(errc::timed_out);
    });
}

void redis_store::connection_owner::greet()
{
    auto& out = connection_->outgoing();
    greetings_due_ = 1;
    if (!settings_.password.empty()) {
        redis::append_auth(out, settings_.user, settings_.password);
        ++greetings_due_;
    }
    if (settings_.database != 0) {
        redis::append_select(out, settings_.database);
        ++greetings_due_;
    }
    redis::append_ping(out);
    connection_->flush();
}

void redis_store::connection_owner::drop()
{
    if (connection_) connection_->close();
    connection_.reset();
    auto const self = shared_from_this(); // one of them may be the last to need the store
    auto const ended = pipeline_.fail_all(errc::not_connected);
    permits_.lost(ended.in_doubt);
    settle(ended.waiters);
    for (auto const& call : ended.calls) settle(*call, errc::not_connected);
}

void redis_store::connection_owner::lost(base::error_code why)
{
    auto const serving = fsm_.now_in() == fsm::state::ready;
    auto what = (serving ? "lost the connection to " : "cannot use ") + target() + ": ";
    what += error_text_.empty() ? why.message() : error_text_;
    if (serving || what != last_loss_) tell(change::worse, what);
    last_loss_ = what;
    // A connection that served is judged by the checks that it owes.
    if (!serving) {
        auto const ours = why.category() == error_category();
        note(ours ? why : make_error_code(errc::not_connected));
        failed(ours && why == errc::refused_login ? errc::refused_login : errc::not_connected);
    }
    resume(fsm::event::broken);
}

void redis_store::connection_owner::on_connected()
{
    auto const self = shared_from_this();
    resume(fsm::event::connected);
}

void redis_store::connection_owner::on_broken(base::error_code why)
{
    auto const self = shared_from_this();
    lost(why);
}

void redis_store::connection_owner::on_bytes(std::span<char const> received)
{
    auto const self = shared_from_this();
    auto const source = connection_; // waking somebody may drop it
    if (auto const bad = reader_->feed(received)) return lost(bad);
    while (connection_ == source) {
        auto const next = reader_->next();
        if (!next) return lost(next.error());
        if (!*next) return;
        if (fsm_.now_in() == fsm::state::greeting)
            take_greeting(**next);
        else
            take_answer(**next);
    }
}

void redis_store::connection_owner::take_greeting(redis::reply const& answer)
{
    using type = redis::reply::type;
    if (answer.kind == type::error) {
        error_text_ = answer.text;
        lost(redis::errc_of(answer.text));
        return error_text_.clear();
    }
    if (answer.kind != type::status) return lost(errc::protocol);
    if (--greetings_due_ == 0) resume(fsm::event::welcome);
}

void redis_store::connection_owner::take_answer(redis::reply const& answer)
{
    auto taken = pipeline_.take(answer);
    auto const refused = answer.kind == redis::reply::type::error;
    if (refused) error_text_ = answer.text;
    base::error_code why;
    switch (taken.what) {
    case pipeline::step::late: permits_.granted_late(pipeline::granted_late(taken.item, answer)); break;
    case pipeline::step::send_again:
        if (auto& call = taken.item.call; call && call->packed_anew) call->arguments = call->packed_anew();
        send(std::move(taken.item));
        break;
    case pipeline::step::unasked: why = errc::protocol; break;
    case pipeline::step::answered:
        permits_.answered(taken.item.asked, taken.item.who->answered());
        if (!taken.item.who->answered()) why = taken.item.who->answered().error();
        settle(*taken.item.who);
        break;
    case pipeline::step::done:
        if (refused) why = redis::errc_of(answer.text);
        settle(*taken.item.call, refused ? base::result<redis::reply>{why} : base::result<redis::reply>{answer});
        break;
    }
    // Not the primary any more: look it up again. Nonsense: whatever follows cannot be trusted either.
    if (connection_ && (why == errc::protocol || why == errc::read_only)) lost(why);
    error_text_.clear();
}

std::string redis_store::connection_owner::target() const
{
    return settings_.host.empty() ? settings_.unix_path : settings_.host + ":" + std::to_string(settings_.port);
}

void redis_store::connection_owner::tell(change direction, std::string const& what) const
{
    if (listener_) listener_(direction, what);
}

} // namespace penstock::limiter
