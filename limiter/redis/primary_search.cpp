#include "limiter/redis/primary_search.hpp"

#include "limiter/redis/codec.hpp"
#include "limiter/redis/error_reply.hpp"
#include "limiter/redis/sentinel_codec.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace penstock::limiter::redis {

primary_search::primary_search(boost::asio::io_context& worker, redis_settings const& wanted, tls_context_ptr tls,
                               std::size_t first, ending done)
    : worker_(worker),
      wanted_(wanted),
      tls_(std::move(tls)),
      which_(first % wanted.sentinels->addresses.size()),
      left_(wanted.sentinels->addresses.size()),
      done_(std::move(done)),
      patience_(worker)
{}

void primary_search::start()
{
    boost::asio::post(worker_, [self = shared_from_this()] { self->ask_next(); });
}

void primary_search::abandon() noexcept
{
    done_ = nullptr;
    close();
}

void primary_search::close() noexcept
{
    patience_.cancel();
    if (connection_) connection_->close();
    connection_.reset();
}

void primary_search::ask_next()
{
    if (!done_) return;
    if (left_ == 0) return std::exchange(done_, nullptr)(failure_);
    --left_;
    patience_.expires_after(patience(wanted_));
    patience_.async_wait([self = shared_from_this()](base::error_code cancelled) {
        if (!cancelled) self->no_answer(errc::timed_out, {});
    });
    std::optional<tls_terms> terms;
    if (tls_) terms = {tls_, wanted_.tls->server_name.empty() ? asked().host : wanted_.tls->server_name};
    reader_ = std::make_unique<reply_reader>();
    connection_ = std::make_shared<connection>(worker_, *this);
    connection_->open(asked(), terms);
}

void primary_search::on_connected()
{
    auto const& sentinels = *wanted_.sentinels;
    auto& out = connection_->outgoing();
    login_due_ = !sentinels.password.empty();
    if (login_due_) append_auth(out, sentinels.user, sentinels.password);
    append_find_primary(out, sentinels.primary);
    connection_->flush();
}

void primary_search::on_bytes(std::span<char const> received)
{
    auto const self = shared_from_this();
    auto const source = connection_;
    if (auto const bad = reader_->feed(received)) return no_answer(bad, {});
    while (connection_ && connection_ == source) {
        auto const next = reader_->next();
        if (!next) return no_answer(next.error(), {});
        if (!*next) return;
        take(**next);
    }
}

void primary_search::on_broken(base::error_code why, std::string_view words)
{
    auto const self = shared_from_this();
    no_answer(why, words);
}

void primary_search::take(reply const& answer)
{
    if (answer.kind == reply::type::error) return no_answer(errc_of(answer.text), shown(answer.text));
    if (std::exchange(login_due_, false)) {
        if (answer.kind != reply::type::status) no_answer(errc::protocol, {});
        return;
    }
    auto const found = decode_primary(answer);
    if (!found) return no_answer(found.error(), found.error() == errc::no_primary ? "knows no such primary" : "");
    close();
    std::exchange(done_, nullptr)(finding{*found, which_});
}

void primary_search::no_answer(base::error_code why, std::string_view words)
{
    if (!done_) return;
    if (!failure_.words.empty()) failure_.words += "; ";
    failure_.words += asked().host + ':' + std::to_string(asked().port) + ": ";
    failure_.words += words.empty() ? why.message() : std::string(words);
    failure_.why = errc::no_primary;
    close();
    which_ = (which_ + 1) % wanted_.sentinels->addresses.size();
    ask_next();
}

} // namespace penstock::limiter::redis
