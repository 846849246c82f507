#include "limiter/redis/dialer.hpp"

#include "limiter/error.hpp"
#include "limiter/redis/error_reply.hpp"
#include "limiter/redis/password_file.hpp"

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

dialer::dialer(boost::asio::io_context& worker, redis_settings const& wanted, tls_context_ptr tls, std::uint64_t seed,
               owner& of)
    : worker_(worker),
      settings_(wanted),
      owner_(of),
      tls_(tls ? std::move(tls) : context_for(wanted)),
      password_(wanted.password),
      fsm_(limits_for(wanted), seed),
      where_(wanted),
      pace_(worker),
      seed_(seed)
{}

void dialer::adopt_terms()
{
    auto const try_ends = fsm_.adopt(limits_for(settings_));
    if (try_ends && *try_ends < pace_.expiry()) pace(*try_ends);
}

void dialer::try_at_once()
{
    if (fsm_.now_in() == fsm::state::pausing) resume(fsm::event::timer);
}

void dialer::resume(fsm::event what)
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
        owner_.on_connection();
        break;
    case verb::pause:
        pace(next.until);
        drop();
        break;
    case verb::close:
        pace_.cancel();
        if (watch_) watch_->end();
        drop();
        break;
    }
}

void dialer::pace(base::instant until)
{
    pace_.expires_at(until);
    pace_.async_wait([this, alive = owner_.lifeline()](base::error_code cancelled) {
        auto const self = alive.lock();
        if (!self || cancelled) return;
        if (fsm_.now_in() == fsm::state::pausing)
            resume(fsm::event::timer);
        else
            lost(errc::timed_out);
    });
}

// ---- where to

void dialer::locate()
{
    if (!where_.is_to_be_searched()) return resume(fsm::event::located);
    auto done = [this, alive = owner_.lifeline()](auto const& got) {
        if (auto const self = alive.lock()) located(got);
    };
    search_ = std::make_shared<primary_search>(worker_, settings_, tls_, where_.first_asked(), std::move(done));
    search_->start();
}

void dialer::located(base::result<primary_search::finding, primary_search::failure> const& got)
{
    search_.reset();
    if (!got) return lost(got.error().why, got.error().words);
    where_.found(got->primary, got->told_by);
    resume(fsm::event::located);
}

void dialer::watch()
{
    if (!settings_.sentinels || watch_) return;
    auto const alive = owner_.lifeline();
    auto tell = [this, alive](redis_address const& primary) {
        if (auto const self = alive.lock()) moved(primary);
    };
    auto refused = [this, alive](base::error_code why, std::string const& words) {
        if (auto const self = alive.lock()) owner_.on_deaf(why, words);
    };
    watch_ = std::make_shared<primary_watch>(worker_, settings_, tls_, seed_,
                                             primary_watch::listener{std::move(tell), std::move(refused)});
    watch_->start();
}

void dialer::moved(redis_address const& to)
{
    if (ready() && where_.heard(to)) lost(errc::read_only, "the primary is now " + to_string(to));
}

// ---- the connection

void dialer::connect()
{
    reader_ = std::make_unique<reply_reader>();
    connection_ = std::make_shared<connection>(worker_, *this);
    if (!settings_.unix_path.empty()) return connection_->open_unix(settings_.unix_path);
    std::optional<tls_terms> terms;
    if (tls_) terms = {tls_, where_.server_name()};
    connection_->open(where_.address(), terms);
}

void dialer::on_connected()
{
    auto const alive = owner_.lifeline().lock();
    resume(fsm::event::connected);
}

void dialer::greet()
{
    greeting_.begin(connection_->outgoing(), settings_, password_);
    connection_->flush();
}

void dialer::on_broken(base::error_code why, std::string_view words)
{
    auto const alive = owner_.lifeline().lock();
    lost(why, words);
}

void dialer::on_bytes(std::span<char const> received)
{
    auto const alive = owner_.lifeline().lock();
    auto const source = connection_; // whoever takes a reply may drop it
    if (auto const bad = reader_->feed(received)) return lost(bad);
    while (connection_ == source) {
        auto const next = reader_->next();
        if (!next) return lost(next.error());
        if (!*next) return;
        if (ready())
            owner_.on_reply(**next);
        else
            take_greeting(**next);
    }
}

void dialer::take_greeting(reply const& answer)
{
    auto const step = greeting_.take(answer);
    if (!step) return lost(step.error(), answer.kind == reply::type::error ? shown(answer.text) : std::string{});
    if (*step == greeting::step::welcome) resume(fsm::event::welcome);
}

void dialer::lost(base::error_code why, std::string_view words)
{
    auto const served = ready();
    ++(served ? counts_.losses : counts_.connect_failures);
    owner_.on_lost({served, why, std::string(words)});
    if (why == errc::refused_login && !settings_.password_file.empty()) {
        if (auto changed = read_password(settings_.password_file)) password_ = std::move(*changed);
    }
    where_.led_nowhere();
    resume(why == errc::loading || why == errc::read_only ? fsm::event::unready : fsm::event::broken);
}

void dialer::drop()
{
    if (search_) search_->abandon();
    search_.reset();
    if (connection_) connection_->close();
    connection_.reset();
    owner_.on_dropped();
}

void dialer::report(node_counts& to) const noexcept
{
    to.connects = counts_.connects;
    to.losses = counts_.losses;
    to.connect_failures = counts_.connect_failures;
    to.up = ready();
}

} // namespace penstock::limiter::redis
