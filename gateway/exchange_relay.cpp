// The second half of an exchange: an admitted request on its way to the upstream, and the answer on its way back.
#include "gateway/exchange.hpp"

#include "gateway/query_keys.hpp"
#include "gateway/relayed_head.hpp"
#include "gateway/respond.hpp"
#include "gateway/worker.hpp"
#include "gateway/workspace.hpp"
#include "proxy/chunk.hpp"
#include "proxy/outgoing_head.hpp"
#include "proxy/tunnel.hpp"

#include <boost/beast/core/string.hpp>
#include <boost/container/small_vector.hpp>

#include <algorithm>
#include <utility>

namespace penstock::gateway {
namespace asio = boost::asio;
namespace {

proxy::told_by told_by(partition::address_source source) noexcept
{
    switch (source) {
    case partition::address_source::peer: break;
    case partition::address_source::x_forwarded_for: return proxy::told_by::x_forwarded_for;
    case partition::address_source::forwarded: return proxy::told_by::forwarded;
    case partition::address_source::single_field: return proxy::told_by::single_field;
    }
    return proxy::told_by::nothing;
}

} // namespace

// `Upgrade` to anything else is not for this hop to carry: h2c would bypass every check (H1-100, H1-101).
std::string_view exchange::upgrade() const noexcept
{
    return boost::beast::iequals(space_.request.upgrade, "websocket") ? space_.request.upgrade : std::string_view{};
}

void exchange::begin_forwarding()
{
    auto const& snapshot = *view_->snapshot;
    auto const& facts = seen_.facts;
    auto const raw = record_.route->forward_path == proxy::forward_path::raw;
    space_.target.assign(raw ? seen_.raw_path : facts.path);
    auto const& keys = snapshot.settings.api_keys;
    if (keys.strip_query)
        append_without_keys(space_.target, facts.query, keys.from);
    else if (!facts.query.empty())
        space_.target.append("?").append(facts.query);
    record_.upstream = snapshot.upstreams[record_.route->upstream.value()].name;

    boost::container::small_vector<std::string_view, 4> key_fields;
    for (auto const& source : keys.from) {
        if (source.where == conf::credential_source::place::header) key_fields.emplace_back(source.name);
    }
    auto const& request = space_.request;
    auto const& settings = snapshot.settings;
    proxy::forwarding_context const origin{.fields = facts.fields,
                                           .peer = peer_.address,
                                           .client = facts.client,
                                           .trust = seen_.trust,
                                           .source = told_by(settings.client.source),
                                           .source_field = settings.client.field,
                                           .forwarded_proto = seen_.forwarded_proto,
                                           .forwarded_host = seen_.forwarded_host,
                                           .forwarded_by = settings.forwarded_by,
                                           .scheme = "http",
                                           .authority = seen_.authority.empty() ? record_.upstream : seen_.authority,
                                           .received_protocol = request.minor_version == 0 ? "1.0" : "1.1",
                                           .via_name = settings.via_name,
                                           .key_fields = key_fields};
    if (!proxy::write_outgoing_head(space_.outgoing, {request, space_.target, origin, upgrade(), seen_.max_forwards}))
        space_.outgoing.clear();
}

void exchange::note_answer(proxy::forwarding const& under_way, bool answered)
{
    auto const server = under_way.endpoint();
    if (!server) return;
    record_.upstream_time = base::clock::now() - record_.started - record_.check_time - record_.queued;
    record_.server = under_way.server_label();
    auto const index = record_.route->upstream.value();
    ++(*view_->server_counts[index][*server])[answered ? under_way.head().status / 100 % 6 : 0];
    view_->upstream_counts[index]->duration.observe(record_.upstream_time);
}

asio::awaitable<aftermath> exchange::relay(limiter::admission admitted)
{
    static_cast<void>(admitted); // held until the last byte of the answer
    begin_forwarding();
    if (space_.outgoing.empty())
        co_return co_await send_own(
            respond::malformed(space_.response, context(persistence::close), proxy::head_problem::malformed));

    auto const& request = space_.request;
    proxy::outgoing_request const outgoing{.head = space_.outgoing,
                                           .method = request.method,
                                           .upgrade = upgrade(),
                                           .body = request.body.has_content() ? &body_ : nullptr,
                                           .client = client_,
                                           .limits = view_->head_limits};
    proxy::forwarding under_way(*view_->upstreams[record_.route->upstream.value()], outgoing, space_.answer);
    auto started = under_way.start_now() ? co_await under_way.next_head() : co_await under_way.start();
    if (!started) started = co_await under_way.retry(started.error());
    while (started && under_way.head().status / 100 == 1 && under_way.head().status != 101)
        started = co_await relay_interim(under_way);
    note_answer(under_way, started.has_value());

    if (!started) {
        if (!under_way.finish_now()) co_await under_way.finish();
        co_return co_await respond_failed(started.error());
    }
    auto const after = under_way.head().status == 101 ? co_await run_tunnel(under_way) : co_await relay_answer(under_way);
    record_.request_bytes = std::max(record_.request_bytes, under_way.uploaded_bytes());
    if (!under_way.finish_now()) co_await under_way.finish();
    co_return after;
}

asio::awaitable<base::result<void, proxy::failure>> exchange::relay_interim(proxy::forwarding& under_way)
{
    if (space_.request.minor_version != 0) { // never to a 1.0 client (H1-79)
        respond::interim(space_.response, under_way.head());
        proxy::gather out;
        out.add(space_.response);
        if (co_await client_.write_all(out, body_.timeout)) co_return proxy::failure{proxy::failure::kind::client_gone};
    }
    co_return co_await under_way.next_head();
}

asio::awaitable<aftermath> exchange::respond_failed(proxy::failure why)
{
    record_.failure = why.what;
    ++owner_.counts().forwarding_failures;
    if (why.what == proxy::failure::kind::client_gone) co_return abandon();
    auto const body_was_touched = space_.request.body.has_content();
    auto const how = body_was_touched ? context(persistence::close) : own_context();
    co_return co_await send_own(respond::failed(space_.response, how, why.what, space_.limits));
}

proxy::body_framing exchange::downstream_framing(proxy::response_head const& head) const noexcept
{
    using kind = proxy::body_framing::kind;
    if (head.body.how == kind::chunked || head.body.how == kind::until_close)
        return {space_.request.minor_version == 0 ? kind::until_close : kind::chunked, 0};
    return head.body;
}

asio::awaitable<aftermath> exchange::relay_answer(proxy::forwarding& under_way)
{
    auto const& head = under_way.head();
    auto const framing = downstream_framing(head);
    auto const& request = space_.request;
    // What a client sent behind a refused upgrade was not meant as a request (H1-104).
    auto const stray_bytes = !request.upgrade.empty() && !space_.received.empty();
    auto const keeps = request.keep_alive && request.minor_version != 0 && !owner_.draining() && under_way.upload_complete() &&
                       framing.how != proxy::body_framing::kind::until_close && !stray_bytes;
    record_.status = head.status;
    respond::relayed(space_.response, context(keeps ? persistence::keep_alive : persistence::close), head, space_.limits,
                     framing);
    base::result<void, proxy::failure> relayed = boost::system::in_place_value;
    if (append_short_body(under_way, framing)) {
        proxy::gather out;
        out.add(space_.response);
        auto failed = client_.try_write(out);
        if (!out.done()) failed = co_await client_.write_all(out, body_.timeout);
        if (failed) relayed = proxy::failure{proxy::failure::kind::client_gone};
    } else {
        relayed = co_await relay_body(under_way, framing);
    }
    if (!relayed) {
        record_.failure = relayed.error().what;
        client_.abort(); // what was sent must not pass for a whole answer (H1-59)
        co_return aftermath::close;
    }
    if (keeps) co_return aftermath::keep_alive;
    co_return under_way.upload_complete() ? aftermath::close : aftermath::linger;
}

// The usual answer is short and here already: head and body leave as one piece, without a coroutine of their own.
bool exchange::append_short_body(proxy::forwarding& under_way, proxy::body_framing framing)
{
    constexpr std::size_t short_body = 4096;
    using kind = proxy::body_framing::kind;
    if ((framing.how != kind::none && framing.how != kind::length) || framing.length > short_body) return false;
    if (framing.length > under_way.received_bytes()) return false;
    auto const piece = under_way.next_piece();
    space_.response.append(piece->content);
    record_.response_bytes = piece->content.size();
    return true;
}

// Head and body of the answer; each write takes whatever is at hand.
asio::awaitable<base::result<void, proxy::failure>> exchange::relay_body(proxy::forwarding& under_way,
                                                                         proxy::body_framing framing)
{
    auto const chunked = framing.how == proxy::body_framing::kind::chunked;
    auto head_pending = true;
    for (auto last = false; !last;) {
        auto piece = under_way.next_piece();
        if (!piece) co_return piece.error();
        proxy::gather out;
        if (std::exchange(head_pending, false)) out.add(space_.response);
        record_.response_bytes += piece->content.size();
        if (chunked && !piece->content.empty())
            proxy::add_chunk(out, piece->content, space_.chunk_size);
        else
            out.add(piece->content);
        if (chunked && piece->at_hand && !piece->last) { // the end of the body often came along
            auto const next = under_way.peek_end();
            if (!next) co_return next.error();
            piece->last = *next;
        }
        last = piece->last;
        if (chunked && last) out.add(proxy::last_chunk);
        if (!out.done() && co_await client_.write_all(out, body_.timeout))
            co_return proxy::failure{proxy::failure::kind::client_gone};
        if (last || piece->at_hand) continue;
        if (auto const more = co_await under_way.fetch(); !more) co_return more.error();
    }
    co_return boost::system::in_place_value;
}

asio::awaitable<aftermath> exchange::run_tunnel(proxy::forwarding& under_way)
{
    record_.status = 101;
    respond::interim(space_.response, under_way.head());
    proxy::gather out;
    out.add(space_.response);
    if (co_await client_.write_all(out, body_.timeout)) co_return aftermath::close;
    auto const idle = view_->snapshot->upstreams[record_.route->upstream.value()].timeouts.idle;
    auto const traffic =
        co_await proxy::run_tunnel({client_, space_.received}, {under_way.tunnel(), space_.answer.bytes}, idle);
    record_.request_bytes = traffic.bytes_from_client;
    record_.response_bytes = traffic.bytes_from_upstream;
    co_return aftermath::close;
}

} // namespace penstock::gateway
