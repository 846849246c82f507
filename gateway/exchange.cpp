#include "gateway/exchange.hpp"

#include "base/field_name.hpp"
#include "gateway/worker.hpp"
#include "gateway/workspace.hpp"
#include "limiter/acquire.hpp"
#include "proxy/chunk.hpp"
#include "proxy/outgoing_head.hpp"
#include "proxy/tunnel.hpp"

#include <boost/beast/core/string.hpp>

namespace penstock::gateway {
namespace asio = boost::asio;
namespace {

constexpr std::uint64_t most_discarded = 64 * 1024; // of a body nobody wants, to keep a connection

std::string_view find_field(std::span<base::field const> fields, std::string_view name) noexcept
{
    for (auto const& field : fields) {
        if (boost::beast::iequals(field.name, name)) return field.value;
    }
    return {};
}

constexpr unsigned most_passes = 5; // an edge, a sidecar, a mesh in between: more is a loop (H1-74)

// How often a gateway of this name has forwarded the request already.
unsigned times_seen(std::span<base::field const> fields, std::string_view via_name) noexcept
{
    unsigned times = 0;
    for (auto const& field : fields) {
        if (!base::is_field(field.name, "via")) continue;
        for (auto at = field.value.find(via_name); at != std::string_view::npos;
             at = field.value.find(via_name, at + via_name.size()))
            ++times;
    }
    return times;
}

std::string_view view_of_head(workspace& space, std::size_t length) { return space.received.unread().substr(0, length); }

} // namespace

exchange::exchange(worker& owner, proxy::stream& client, workspace& space, std::optional<base::ip_address> const& peer,
                   std::size_t head_length)
    : owner_(owner),
      client_(client),
      space_(space),
      view_(owner.view()),
      head_end_(space.received.consumed() + head_length),
      head_problem_(proxy::parse_request_head(view_of_head(space, head_length), space.request)),
      peer_(peer),
      body_{.link = client, .received = space.received, .decoder = {}}
{
    space.received.consume(head_length);
    record_.started = base::clock::now();
    client.events().wheel().note(record_.started);
    auto const& settings = view_->snapshot->settings;
    seen_.facts.peer = peer_; // also of a request that is refused unread
    body_.floor = head_end_;
    body_.framing = space.request.body.how;
    body_.most_content = settings.limits.body;
    body_.timeout = settings.timeouts.body;
    if (head_problem_ == proxy::head_problem::none) body_.decoder = proxy::body_decoder(space.request.body);
}

asio::awaitable<aftermath> exchange::serve()
{
    auto ends_as = look();
    if (!ends_as) {
        auto const& asked = space_.asked.claims;
        if (asked.empty())
            space_.gate = {};
        else if (!view_->redis || limiter::all_in_memory(asked))
            ask_memory();
        else
            co_await ask_fleet();
        record_.gate = &space_.gate;
        space_.limits = report_limits(space_.gate, view_->snapshot->settings.responses.retry_jitter_percent, owner_.dice());
        if (space_.gate.verdict != limiter::admission_ruling::kind::admitted) ends_as = reject();
    }
    auto const after = ends_as ? co_await send_own(*ends_as)
                               : co_await relay(limiter::admission(view_->stores, space_.asked.claims, space_.gate));
    record();
    co_return after;
}

std::optional<unsigned> exchange::look()
{
    auto& out = space_.response;
    auto const& snapshot = *view_->snapshot;
    if (head_problem_ != proxy::head_problem::none) {
        ++owner_.counts().parse_rejections[std::string(proxy::name_of(head_problem_))];
        return respond::malformed(out, context(persistence::close), head_problem_);
    }
    if (space_.request.method == "CONNECT" || space_.request.method == "TRACE")
        return respond::method_not_supported(out, context(persistence::close));

    seen_ = extract(space_.request, peer_, snapshot.settings, {space_.path, space_.host});
    auto& facts = seen_.facts;
    if (seen_.rejected_element) ++owner_.counts().forwarded_for_rejected;
    if (seen_.problem != extract_problem::none) {
        ++owner_.counts().parse_rejections["bad_request"];
        return respond::refused_facts(out, context(persistence::close), seen_.problem, seen_.why);
    }
    if (seen_.asterisk || seen_.max_forwards == 0U) return respond::server_options(out, own_context());

    if (times_seen(facts.fields, snapshot.settings.via_name) >= most_passes) return respond::loop_detected(out, own_context());

    auto const* route = snapshot.routes.match(facts, space_.captures);
    record_.route = route;
    if (!route) return respond::no_route(out, own_context());
    facts.route = route->name;
    facts.captures = space_.captures;
    auto const& body = space_.request.body;
    if (body_.most_content != 0 && body.how == proxy::body_framing::kind::length && body.length > body_.most_content)
        return respond::too_large(out, own_context());

    auto const& plan = snapshot.plans[route->id.value()];
    if (plan.terms.empty() || is_preflight())
        space_.asked.clear();
    else
        limiter::classify(plan, facts, snapshot.keys, owner_.next_turn(), space_.asked);
    record_.asked = &space_.asked.claims;
    if (space_.asked.missing_key) return respond::missing_key(out, own_context(), *space_.asked.missing_key);
    return std::nullopt;
}

void exchange::ask_memory()
{
    space_.gate = limiter::acquire_in_memory(owner_.parts().memory, space_.asked.claims, record_.started);
    // Shorter than it takes to read the clock twice: one in many is measured.
    if (++owner_.counts().memory_checks % telemetry::memory_checks_per_sample == 0)
        owner_.counts().check_memory.observe(base::clock::now() - record_.started);
}

asio::awaitable<void> exchange::ask_fleet()
{
    auto const deadline = record_.started + view_->snapshot->settings.redis->check_timeout;
    co_await limiter::acquire(view_->stores, space_.asked.claims, deadline, space_.gate);
    record_.check_time = base::clock::now() - record_.started;
    owner_.counts().check_redis.observe(record_.check_time);
}

unsigned exchange::reject() { return respond::rejected(space_.response, own_context(), space_.gate, space_.limits); }

// A preflight carries no credentials and asks only whether the real request may come (RL-36).
bool exchange::is_preflight() const noexcept
{
    return seen_.facts.method == "OPTIONS" && !find_field(seen_.facts.fields, "origin").empty() &&
           !find_field(seen_.facts.fields, "access-control-request-method").empty();
}

response_context exchange::context(persistence connection) noexcept
{
    persistence_ = connection;
    auto const well_formed = head_problem_ == proxy::head_problem::none;
    return {.settings = view_->snapshot->settings.responses,
            .date = owner_.date(),
            .now_s = owner_.date_s(),
            .connection = connection,
            .head_request = well_formed && space_.request.method == "HEAD",
            .origin = well_formed ? find_field(space_.request.fields, "origin") : std::string_view{}};
}

response_context exchange::own_context() noexcept
{
    auto const keeps =
        space_.request.keep_alive && space_.request.minor_version != 0 && !owner_.draining() && body_can_be_discarded();
    return context(keeps ? persistence::keep_alive : persistence::close);
}

bool exchange::body_can_be_discarded() const noexcept
{
    auto const& request = space_.request;
    if (!request.body.has_content()) return true;
    // Whoever waits for 100 may send the body or not: what would follow is anybody's guess.
    if (request.expects_continue || request.body.how == proxy::body_framing::kind::chunked) return false;
    return request.body.length <= most_discarded;
}

asio::awaitable<bool> exchange::discard_body()
{
    for (;;) {
        auto const got = body_.decoder.next(space_.received.unread());
        space_.received.consume(got.consumed);
        if (got.what == proxy::body_decoder::state::done) co_return true;
        if (got.what == proxy::body_decoder::state::broken) co_return false;
        if (got.what == proxy::body_decoder::state::piece) continue;
        space_.received.make_room(head_end_);
        if (space_.received.room().empty()) space_.received.make_room(0); // the head has been answered
        auto const n = co_await client_.read_some(space_.received.room(), body_.timeout);
        if (!n || *n == 0) co_return false;
        space_.received.commit(*n);
    }
}

asio::awaitable<aftermath> exchange::send_own(unsigned status)
{
    record_.status = status;
    record_.response_bytes = space_.response.size() - space_.response.find("\r\n\r\n") - 4;
    proxy::gather out;
    out.add(space_.response);
    auto failed = client_.try_write(out);
    if (!out.done()) failed = co_await client_.write_all(out, body_.timeout);
    if (failed) co_return aftermath::close;
    if (persistence_ == persistence::close) co_return aftermath::linger;
    co_return co_await discard_body() ? aftermath::keep_alive : aftermath::close;
}

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
    if (!facts.query.empty()) space_.target.append("?").append(facts.query);
    record_.upstream = snapshot.upstreams[record_.route->upstream.value()].name;

    auto const& request = space_.request;
    proxy::forwarding_context const origin{.fields = facts.fields,
                                           .peer = peer_,
                                           .trust = seen_.trust,
                                           .scheme = "http",
                                           .authority = seen_.authority.empty() ? record_.upstream : seen_.authority,
                                           .received_protocol = request.minor_version == 0 ? "1.0" : "1.1",
                                           .via_name = snapshot.settings.via_name};
    if (!proxy::write_outgoing_head(space_.outgoing, {request, space_.target, origin, upgrade(), seen_.max_forwards}))
        space_.outgoing.clear();
}

void exchange::note_answer(proxy::forwarding const& under_way, bool answered)
{
    auto const server = under_way.endpoint();
    if (!server) return;
    record_.upstream_time = base::clock::now() - record_.started - record_.check_time;
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
    if (why.what == proxy::failure::kind::client_gone) {
        record_.status = 499; // never sent: what nginx' users know this by
        co_return aftermath::close;
    }
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

void exchange::record()
{
    auto const duration = base::clock::now() - record_.started;
    if (record_.route) {
        auto& counts = *view_->route_counts[record_.route->id.value()];
        ++counts.requests[record_.status / 100 % counts.requests.size()];
        counts.duration.observe(duration);
    } else {
        ++owner_.counts().unrouted[record_.status / 100 % 6];
    }
    if (record_.gate) {
        for (auto const& each : record_.gate->rulings)
            ++view_->limit_counts[each.policy->id.value()]->decisions[static_cast<std::size_t>(each.result)];
    }
    if (!view_->snapshot->settings.access_log.enabled) return;
    append_access_line(owner_.log_batch(), record_, seen_.facts, space_.request.minor_version, base::wall_clock_us(), duration);
    owner_.count_log_line();
}

} // namespace penstock::gateway
