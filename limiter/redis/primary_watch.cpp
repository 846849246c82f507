#include "limiter/redis/primary_watch.hpp"

#include "limiter/redis/codec.hpp"
#include "limiter/redis/primary_search.hpp"
#include "limiter/redis/sentinel_codec.hpp"

#include <utility>

namespace penstock::limiter::redis {

primary_watch::primary_watch(boost::asio::io_context& worker, redis_settings const& wanted, tls_context_ptr tls,
                             std::uint64_t seed, news tell)
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
    if (!tell_) return;
    auto const& sentinel = wanted_.sentinels->addresses[which_ % wanted_.sentinels->addresses.size()];
    std::optional<tls_terms> terms;
    if (tls_) terms = {tls_, wanted_.tls->server_name.empty() ? sentinel.host : wanted_.tls->server_name};
    expect(primary_search::patience(wanted_), &primary_watch::try_next);
    reader_ = std::make_unique<reply_reader>();
    connection_ = std::make_shared<connection>(worker_, *this);
    connection_->open(sentinel, terms);
}

void primary_watch::end() noexcept
{
    tell_ = nullptr;
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
    if (!tell_) return;
    if (connection_) connection_->close();
    connection_.reset();
    ++which_;
    expect(jitter_.between(shortest_pause, longest_pause), &primary_watch::start);
}

void primary_watch::on_connected()
{
    auto const& sentinels = *wanted_.sentinels;
    auto& out = connection_->outgoing();
    if (!sentinels.password.empty()) append_auth(out, sentinels.user, sentinels.password);
    append_watch_primary(out);
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
    if (answer.kind == reply::type::error) return try_next();
    if (answer.kind != reply::type::array) return; // the login's
    timer_.cancel();                               // it listens to us; from here on it speaks when there is news
    if (auto const moved = decode_moved_primary(answer, wanted_.sentinels->primary)) tell_(*moved);
}

} // namespace penstock::limiter::redis
