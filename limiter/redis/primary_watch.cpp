#include "limiter/redis/primary_watch.hpp"

#include "limiter/redis/codec.hpp"
#include "limiter/redis/error_reply.hpp"
#include "limiter/redis/primary_search.hpp"
#include "limiter/redis/sentinel_codec.hpp"

#include <utility>

namespace penstock::limiter::redis {

primary_watch::primary_watch(boost::asio::io_context& worker, redis_settings const& wanted, tls_context_ptr tls,
                             std::uint64_t seed, listener tell)
    : worker_(worker),
      wanted_(wanted),
      tls_(std::move(tls)),
      jitter_(seed),
      tell_(std::move(tell)),
      which_(static_cast<std::size_t>(seed)),
      timer_(worker)
{}

void primary_watch::start()
{
    if (!tell_.moved) return;
    auto const& sentinel = asked();
    std::optional<tls_terms> terms;
    if (tls_) terms = {tls_, wanted_.tls->server_name.empty() ? sentinel.host : wanted_.tls->server_name};
    expect(primary_search::patience(wanted_), &primary_watch::try_next);
    reader_ = std::make_unique<reply_reader>();
    connection_ = std::make_shared<connection>(worker_, *this);
    connection_->open(sentinel, terms);
}

redis_address const& primary_watch::asked() const
{
    auto const& all = wanted_.sentinels->addresses;
    return all[which_ % all.size()];
}

void primary_watch::end() noexcept
{
    tell_ = {};
    timer_.cancel();
    if (connection_) connection_->close();
    connection_.reset();
}

void primary_watch::expect(base::micros within, void (primary_watch::*then)())
{
    timer_.expires_after(within);
    timer_.async_wait([self = shared_from_this(), then](base::error_code cancelled) {
        if (!cancelled) (self.get()->*then)();
    });
}

void primary_watch::try_next()
{
    if (!tell_.moved) return;
    if (connection_) connection_->close();
    connection_.reset();
    ++which_;
    expect(jitter_.between(shortest_pause, longest_pause), &primary_watch::start);
}

void primary_watch::on_connected()
{
    auto const& sentinels = *wanted_.sentinels;
    auto& out = connection_->outgoing();
    login_due_ = !sentinels.password.empty();
    if (login_due_) append_auth(out, sentinels.user, sentinels.password);
    for (auto const channel : news_channels) append_subscribe(out, channel);
    channels_due_ = news_channels.size();
    hears_ = false;
    connection_->flush();
}

void primary_watch::on_broken(base::error_code, std::string_view)
{
    auto const self = shared_from_this();
    try_next();
}

void primary_watch::on_bytes(std::span<char const> received)
{
    auto const self = shared_from_this();
    auto const source = connection_;
    if (reader_->feed(received)) return try_next();
    while (connection_ && connection_ == source) {
        auto const next = reader_->next();
        if (!next) return try_next();
        if (!*next) return;
        take(**next);
    }
}

void primary_watch::take(reply const& answer)
{
    if (auto const moved = decode_moved_primary(answer, wanted_.sentinels->primary)) return tell_.moved(*moved);
    if (is_news(answer)) return; // of another primary
    if (channels_due_ != 0) return take_greeting(answer);
    if (answer.kind == reply::type::error) try_next();
}

// Asked for one by one, as a user may have a right to one channel only, and Redis refuses several as a whole.
void primary_watch::take_greeting(reply const& answer)
{
    auto const is_login = std::exchange(login_due_, false);
    if (answer.kind == reply::type::error) {
        auto const what = is_login ? "the login" : std::string(news_channels[news_channels.size() - channels_due_]);
        tell_.refused(errc_of(answer.text), "sentinel " + to_string(asked()) + " refuses " + what +
                                                ", which tells of a moved primary: " + shown(answer.text));
        if (is_login || !tell_.moved) return try_next();
    } else if (!is_login) {
        hears_ = true;
    }
    if (is_login || --channels_due_ != 0) return;
    if (!hears_) return try_next();
    timer_.cancel(); // it listens to us; from here on it speaks when there is news
}

} // namespace penstock::limiter::redis
