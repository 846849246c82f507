#include "proxy/forwarding.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/string.hpp>

#include <utility>

namespace penstock::proxy {
namespace asio = boost::asio;

forwarding::forwarding(upstream& to, outgoing_request const& request, answer_buffers& buffers) noexcept
    : to_(to), request_(request), buffers_(buffers)
{}

// RFC 9110 section 9.2.2: idempotent, and nothing of a body that would have to be sent again (H1-82).
bool forwarding::is_repeatable() const noexcept
{
    if (request_.body || !request_.upgrade.empty()) return false;
    for (auto const* method : {"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})
        if (request_.method == method) return true;
    return false;
}

bool forwarding::start_now()
{
    constexpr std::size_t fits_at_once = 8192; // into the send buffer of an idle connection
    if (request_.body || request_.head.size() > fits_at_once) return false;
    auto idle = to_.take_idle();
    if (!idle) return false;
    use(std::move(*idle));
    gather out;
    out.add(request_.head);
    if (!connection_->link->try_write(out)) return true;
    // Without its last byte nobody can have acted on it: another connection may carry any method.
    release();
    endpoint_.reset();
    return false;
}

asio::awaitable<base::result<void, failure>> forwarding::start()
{
    auto const outcome = co_await attempt(upstream::freshness::any);
    if (outcome) co_return outcome;
    co_return co_await retry(outcome.error());
}

asio::awaitable<base::result<void, failure>> forwarding::retry(failure why)
{
    for (;;) {
        // A connection that was never made carried nothing: any method may try another endpoint.
        auto const never_sent = why.what == failure::kind::connect_refused || why.what == failure::kind::connect_timed_out;
        if (!why.retryable || tries_++ >= to_.spec().retries || !(never_sent || is_repeatable())) co_return why;
        release();
        auto const outcome = co_await attempt(never_sent ? upstream::freshness::any : upstream::freshness::new_only);
        if (outcome) co_return outcome;
        why = outcome.error();
    }
}

asio::awaitable<base::result<void, failure>> forwarding::attempt(upstream::freshness wanted)
{
    if (auto idle = wanted == upstream::freshness::any && !endpoint_ ? to_.take_idle() : std::nullopt) {
        use(std::move(*idle));
    } else {
        auto made = co_await to_.connect(wanted == upstream::freshness::any ? endpoint_ : std::nullopt);
        if (!made) co_return made.error();
        use(std::move(*made));
    }

    gather out;
    out.add(request_.head);
    if (request_.body) {
        upload_.emplace(*request_.body);
        upload_->add_received(out);
    }
    auto& link = *connection_->link;
    auto ec = link.try_write(out);
    if (!out.done()) ec = co_await link.write_all(out, to_.spec().timeouts.idle);
    if (ec) co_return lost(ec);
    if (upload_ && !upload_->is_complete()) begin_upload();
    co_return co_await next_head();
}

// Nobody is left to answer: the upstream need not go on. An upload that is under way notices by itself.
void forwarding::on_peer_closed()
{
    if (!upload_complete()) return;
    client_gone_ = true;
    connection_->link->cancel();
}

void forwarding::use(upstream::connection made)
{
    connection_.emplace(std::move(made));
    endpoint_ = connection_->endpoint;
    head_seen_ = body_done_ = false;
    buffers_.bytes.clear();
    request_.client.listen_for_closure(this);
}

void forwarding::begin_upload()
{
    auto const executor = connection_->link->events().worker().get_executor();
    upload_over_.emplace(executor, asio::steady_timer::time_point::max());
    auto const ended = [this](std::exception_ptr thrown) {
        // The answer can no longer be to a whole request: whoever waits for it is to look up.
        if (upload_->problem() || thrown) connection_->link->cancel();
        upload_over_->cancel();
        upload_over_.reset();
    };
    asio::co_spawn(executor, upload_->run(*connection_->link, to_.spec().timeouts.idle), ended);
}

failure forwarding::lost(base::error_code ec) const noexcept
{
    if (upload_ && upload_->problem()) return *upload_->problem();
    if (client_gone_) return {failure::kind::client_gone, false};
    if (ec == asio::error::timed_out) return {failure::kind::answer_timed_out, false};
    return {failure::kind::broken, connection_->reused && !head_seen_};
}

asio::awaitable<base::result<void, failure>> forwarding::next_head()
{
    head_scanner scanner(request_.limits);
    auto& bytes = buffers_.bytes;
    if (bytes.empty())
        bytes.clear();
    else
        bytes.make_room(0);
    for (;;) {
        auto const found = scanner.scan(bytes.unread());
        if (found.problem != head_problem::none) co_return failure{failure::kind::bad_answer};
        if (found.length != 0) co_return use_head(found);

        if (bytes.room().empty()) {
            if (bytes.capacity() > request_.limits.total()) co_return failure{failure::kind::bad_answer};
            bytes.grow(bytes.capacity() * 2);
        }
        auto& link = *connection_->link;
        base::error_code ec;
        if (link.begin_read_wait(to_.spec().timeouts.response, ec)) co_await link.read_wait(ec);
        if (ec) {
            if (ec == asio::error::timed_out && !upload_complete() && !upload_->problem()) continue; // it is still listening
            co_return lost(ec);
        }
        auto const n = link.try_read(bytes.room());
        if (!n && (n.error() == asio::error::would_block || n.error() == asio::error::try_again)) continue;
        if (!n) co_return lost(n.error());
        if (*n == 0) co_return lost(asio::error::eof);
        head_seen_ = true;
        bytes.commit(*n);
    }
}

base::result<void, failure> forwarding::use_head(head_scanner::progress const& found)
{
    auto& bytes = buffers_.bytes;
    bytes.consume(found.skip);
    auto const method = request_.method == "HEAD" ? answers::head_request : answers::other;
    auto& head = buffers_.head;
    auto const problem = parse_response_head(bytes.unread().substr(0, found.length), method, head);
    bytes.consume(found.length);
    if (problem != head_problem::none) return failure{failure::kind::bad_answer};
    if (head.status == 101) { // only to what was asked for (H1-103)
        if (request_.upgrade.empty() || !boost::beast::iequals(head.upgrade, request_.upgrade))
            return failure{failure::kind::bad_answer};
        switched_ = true;
    }
    if (head.status >= 200 || switched_) request_.client.listen_for_closure(nullptr); // from here on writing to it tells
    decoder_ = body_decoder(head.body);
    return boost::system::in_place_value;
}

base::result<bool, failure> forwarding::peek_end()
{
    auto const next = next_piece();
    if (!next) return next.error();
    if (next->last && next->content.empty()) return true;
    if (next->at_hand) peeked_ = *next;
    return false;
}

base::result<forwarding::piece, failure> forwarding::next_piece()
{
    if (peeked_) return *std::exchange(peeked_, std::nullopt);
    auto& bytes = buffers_.bytes;
    auto const got = decoder_.next(bytes.unread());
    bytes.consume(got.consumed);
    switch (got.what) {
    case body_decoder::state::piece: body_done_ = decoder_.is_done(); return piece{got.content, body_done_, true};
    case body_decoder::state::need_more: return piece{{}, false, false};
    case body_decoder::state::done: body_done_ = true; return piece{{}, true, true};
    case body_decoder::state::broken: break;
    }
    return failure{failure::kind::bad_answer};
}

asio::awaitable<base::result<void, failure>> forwarding::fetch()
{
    auto& bytes = buffers_.bytes;
    bytes.make_room(0);
    if (bytes.empty()) bytes.clear();
    if (bytes.room().empty()) co_return failure{failure::kind::bad_answer}; // a chunk header as long as the buffer
    auto const n = co_await connection_->link->read_some(bytes.room(), to_.spec().timeouts.idle);
    if (!n) co_return lost(n.error());
    if (*n == 0) {
        if (!decoder_.complete_at_eof()) co_return lost(asio::error::eof);
        decoder_ = {};
        co_return boost::system::in_place_value;
    }
    bytes.commit(*n);
    co_return boost::system::in_place_value;
}

asio::awaitable<void> forwarding::finish()
{
    if (upload_over_) {
        request_.body->link.cancel_reading();
        connection_->link->cancel();
        while (upload_over_) {
            auto const [ignored] = co_await upload_over_->async_wait(asio::as_tuple(asio::use_awaitable));
            static_cast<void>(ignored); // it is only ever cancelled
        }
        request_.body->link.allow_reading();
        upload_was_cut_ = true;
    }
    release();
}

bool forwarding::finish_now()
{
    if (upload_over_) return false;
    release();
    return true;
}

void forwarding::release()
{
    if (!connection_) return;
    // Fit for another exchange: the answer was read to its end, no byte too many came, the request was sent whole.
    auto const reusable =
        body_done_ && upload_complete() && !upload_was_cut_ && !switched_ && buffers_.head.keep_alive && buffers_.bytes.empty();
    auto done = std::move(*connection_);
    connection_.reset();
    if (reusable)
        to_.give_back(std::move(done));
    else
        to_.drop(std::move(done));
}

} // namespace penstock::proxy
