#include "limiter/redis/slots_query.hpp"

#include "limiter/redis/codec.hpp"

#include <utility>

namespace penstock::limiter::redis {

slots_query::slots_query(boost::asio::io_context& worker, redis_settings of, tls_context_ptr tls, listener done)
    : settings_(std::move(of)),
      tls_(std::move(tls)),
      done_(std::move(done)),
      connection_(std::make_shared<connection>(worker, *this)),
      deadline_(worker)
{}

void slots_query::start()
{
    std::optional<tls_terms> terms;
    if (tls_) terms = {tls_, settings_.tls->server_name.empty() ? settings_.host : settings_.tls->server_name};
    connection_->open({settings_.host, settings_.port}, terms);
    asked_at_ = base::clock::now();
    await(asked_at_ + settings_.connect_timeout);
}

void slots_query::adopt(redis_terms const& next)
{
    settings_.adopt(next);
    auto const end = asked_at_ + settings_.connect_timeout;
    if (connection_ && end < deadline_.expiry()) await(end);
}

void slots_query::await(base::instant end)
{
    deadline_.expires_at(end);
    deadline_.async_wait([self = shared_from_this()](base::error_code cancelled) {
        if (!cancelled) self->finish(errc::timed_out);
    });
}

void slots_query::cancel() noexcept
{
    done_ = nullptr;
    finish(errc::not_connected);
}

void slots_query::on_connected()
{
    auto& out = connection_->outgoing();
    if (!settings_.password.empty()) {
        append_auth(out, settings_.user, settings_.password);
        ++replies_due_;
    }
    append_cluster_slots(out);
    connection_->flush();
}

void slots_query::on_bytes(std::span<char const> received)
{
    auto const self = shared_from_this();
    if (auto const bad = reader_.feed(received)) return finish(bad);
    while (connection_) {
        auto const next = reader_.next();
        if (!next) return finish(next.error());
        if (next->empty()) return;
        if (--replies_due_ == 0 || next->front().what == reply_token::kind::error) return finish(next);
    }
}

void slots_query::on_broken(base::error_code why, std::string_view)
{
    finish(why == errc::tls ? errc::tls : errc::not_connected); // whatever broke it otherwise
}

void slots_query::finish(base::result<std::vector<reply_token>> const& with)
{
    if (!connection_) return;
    auto const self = shared_from_this();
    std::exchange(connection_, nullptr)->close();
    deadline_.cancel();
    if (auto const done = std::exchange(done_, nullptr)) done(with);
}

} // namespace penstock::limiter::redis
