#include "limiter/redis/link.hpp"

#include "limiter/redis/codec.hpp"
#include "limiter/redis/error_reply.hpp"
#include "limiter/redis/password_file.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace penstock::limiter::redis {
namespace {

tls_context_ptr context_for(redis_settings const& wanted)
{
    if (!wanted.tls) return nullptr;
    auto made = make_tls_context(*wanted.tls);
    // The configuration's check has tried the same texts. Were it refused here, nobody would be trusted.
    return made ? *made : std::make_shared<boost::asio::ssl::context>(boost::asio::ssl::context::tls_client);
}

connection_fsm::time_limits limits_for(redis_settings const& wanted)
{
    if (!wanted.sentinels) return {.connect = wanted.connect_timeout};
    // A little more than all of them may take, so that the search ends by itself and says how.
    auto const each = primary_search::patience(wanted);
    auto const all = static_cast<std::int64_t>(wanted.sentinels->addresses.size()) * each;
    return {.connect = wanted.connect_timeout, .locate = all + each};
}

} // namespace

link::link(boost::asio::io_context& worker, redis_settings const& wanted, std::uint64_t seed, owner& of,
           permit_keeper::line* permits_over)
    : worker_(worker),
      settings_(wanted),
      owner_(of),
      tls_(context_for(wanted)),
      password_(wanted.password),
      fsm_(limits_for(wanted), seed),
      pipeline_(wanted.max_pending),
      permits_(worker, permits_over ? *permits_over : *this),
      seed_(seed),
      pace_(worker),
      deadline_(worker)
{}

void link::stop()
{
    waking_ = resumption::later; // whoever stops us is not to be overtaken by those who wait
    resume(fsm::event::stop);
}

// ---- checks

void link::ask(std::span<claim const> asked, base::instant deadline, waiter& who, bool behind_asking)
{
    send({.asked = asked, .deadline = deadline, .who = &who, .asking = behind_asking});
}

void link::send(pipeline::item item)
{
    auto& out = connection_->outgoing();
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
    connection_->flush();
    ++counts_.commands;
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
            return lost(errc::timed_out);
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
    if (!answer) owner_.on_background_trouble(answer.error(), error_text_);
    if (call.done) call.done(answer);
}

void link::out_of_step()
{
    owner_.on_background_trouble(errc::protocol, {});
    lost(errc::protocol);
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

void link::resume(fsm::event what)
{
    using verb = fsm::action::verb;
    auto const next = fsm_.resume(what, base::clock::now());
    switch (next.what) {
    case verb::nothing: break;
    case verb::locate:
        pace(next.until);
        locate();
        break;
    case verb::connect:
        pace(next.until);
        connect();
        break;
    case verb::greet: greet(); break;
    case verb::serve:
        pace_.cancel();
        ++counts_.connects;
        watch();
        permits_.connected();
        owner_.on_serving();
        break;
    case verb::pause:
        pace(next.until);
        drop();
        break;
    case verb::close:
        pace_.cancel();
        deadline_.cancel();
        if (watch_) watch_->end();
        drop();
        break;
    }
}

void link::pace(base::instant until)
{
    pace_.expires_at(until);
    pace_.async_wait([this, alive = lifeline()](base::error_code cancelled) {
        auto const self = alive.lock();
        if (!self || cancelled) return;
        if (fsm_.now_in() == fsm::state::pausing)
            resume(fsm::event::timer);
        else
            lost(errc::timed_out);
    });
}

void link::locate()
{
    if (news_) {
        primary_ = *std::exchange(news_, std::nullopt);
        return resume(fsm::event::located);
    }
    auto done = [this, alive = lifeline()](auto const& got) {
        if (auto const self = alive.lock()) located(got);
    };
    search_ = std::make_shared<primary_search>(worker_, settings_, tls_, sentinel_, std::move(done));
    search_->start();
}

void link::located(base::result<primary_search::finding, primary_search::failure> const& got)
{
    search_.reset();
    if (!got) {
        error_text_ = got.error().words;
        lost(got.error().why);
        return error_text_.clear();
    }
    primary_ = got->primary;
    sentinel_ = got->told_by;
    resume(fsm::event::located);
}

void link::watch()
{
    if (!settings_.sentinels || watch_) return;
    auto tell = [this, alive = lifeline()](redis_address const& primary) {
        if (auto const self = alive.lock()) moved(primary);
    };
    watch_ = std::make_shared<primary_watch>(worker_, settings_, tls_, seed_, std::move(tell));
    watch_->start();
}

void link::moved(redis_address const& to)
{
    if (!serving() || to == primary_) return;
    news_ = to;
    error_text_ = "the primary is now " + to_string(to);
    lost(errc::read_only);
    error_text_.clear();
}

void link::connect()
{
    reader_ = std::make_unique<reply_reader>();
    connection_ = std::make_shared<connection>(worker_, *this);
    if (!settings_.unix_path.empty()) return connection_->open_unix(settings_.unix_path);
    auto const to = settings_.sentinels ? primary_ : redis_address{settings_.host, settings_.port};
    std::optional<tls_terms> terms;
    if (tls_) terms = {tls_, settings_.tls->server_name.empty() ? to.host : settings_.tls->server_name};
    connection_->open(to, terms);
}

void link::greet()
{
    greeting_.begin(connection_->outgoing(), settings_, password_);
    connection_->flush();
}

void link::drop()
{
    if (search_) search_->abandon();
    search_.reset();
    if (connection_) connection_->close();
    connection_.reset();
    error_text_.clear();                  // what Redis said was not said to those who wait
    auto const alive = lifeline().lock(); // one of them may be the last to need the store
    auto const ended = pipeline_.fail_all(errc::not_connected);
    permits_.lost(ended.in_doubt);
    settle(ended.waiters);
    for (auto const& call : ended.calls) settle(*call, errc::not_connected);
}

void link::lost(base::error_code why)
{
    auto const served = serving();
    ++(served ? counts_.losses : counts_.connect_failures);
    owner_.on_lost({served, why, error_text_});
    if (why == errc::refused_login && !settings_.password_file.empty()) {
        if (auto changed = read_password(settings_.password_file)) password_ = std::move(*changed);
    }
    ++sentinel_; // this one's word led nowhere, or leads there no longer
    resume(why == errc::loading || why == errc::read_only ? fsm::event::unready : fsm::event::broken);
}

void link::on_connected()
{
    auto const alive = lifeline().lock();
    resume(fsm::event::connected);
}

void link::on_broken(base::error_code why, std::string_view words)
{
    auto const alive = lifeline().lock();
    error_text_ = words;
    lost(why);
    error_text_.clear();
}

void link::on_bytes(std::span<char const> received)
{
    auto const alive = lifeline().lock();
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

void link::take_greeting(reply const& answer)
{
    auto const step = greeting_.take(answer);
    if (!step) {
        if (answer.kind == reply::type::error) error_text_ = answer.text;
        lost(step.error());
        return error_text_.clear();
    }
    if (*step == greeting::step::welcome) resume(fsm::event::welcome);
}

bool link::redirects(background_call& call, std::string_view error)
{
    auto const redirected = std::exchange(call.redirected, nullptr); // not to be moved with the call while it runs
    return redirected && redirected(error, call);
}

void link::take_answer(reply const& answer)
{
    auto taken = pipeline_.take(answer);
    auto const refused = answer.kind == reply::type::error;
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
    if (connection_ && (why == errc::protocol || why == errc::read_only)) lost(why);
    error_text_.clear();
}

std::string link::target() const
{
    if (!settings_.unix_path.empty()) return settings_.unix_path;
    if (!settings_.sentinels) return to_string(redis_address{settings_.host, settings_.port});
    auto const name = "the primary of " + settings_.sentinels->primary;
    return primary_.host.empty() ? name : to_string(primary_) + ", " + name;
}

void link::report(node_counts& to) const noexcept
{
    to.commands = counts_.commands;
    to.connects = counts_.connects;
    to.losses = counts_.losses;
    to.connect_failures = counts_.connect_failures;
    to.pending = pipeline_.size();
    to.up = serving();
}

} // namespace penstock::limiter::redis
