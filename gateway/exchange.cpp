#include "gateway/exchange.hpp"

#include "base/field_name.hpp"
#include "gateway/limit_check.hpp"
#include "gateway/respond.hpp"
#include "gateway/worker.hpp"
#include "gateway/workspace.hpp"

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

exchange::exchange(worker& owner, proxy::stream& client, workspace& space, connected_peer const& peer, std::size_t head_length)
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
    record_.api_key_sources = settings.api_keys.from;
    seen_.facts.peer = peer_.address; // also of a request that is refused unread
    body_.floor = head_end_;
    body_.framing = space.request.body.how;
    body_.most_content = settings.limits.body;
    body_.timeout = settings.timeouts.body;
    if (head_problem_ == proxy::head_problem::none) body_.decoder = proxy::body_decoder(space.request.body);
}

asio::awaitable<aftermath> exchange::serve()
{
    std::optional<limiter::admission> admitted;
    auto ends_as = look();
    auto is_there = true; // the client
    if (!ends_as) {
        if (who_.unverified)
            is_there = co_await ask_in_stages();
        else if (ask_at_once(record_.started))
            is_there = true;
        else if (space_.asked.may_wait)
            is_there = co_await wait_for_turn();
        else
            record_.check_time = co_await check_fleet(owner_, *view_, space_, record_.started, {});
        if (is_there) {
            // Before anything can fail: from here on its permits go back by themselves.
            if (space_.gate.verdict == limiter::admission_ruling::kind::admitted)
                admitted.emplace(view_->stores, space_.asked.claims, space_.gate);
            ends_as = note_gate();
        }
    }
    auto const after = !is_there ? abandon() : ends_as ? co_await send_own(*ends_as) : co_await relay(std::move(*admitted));
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
        return respond::refused_facts(out, context(persistence::close), seen_.why);
    }
    if (is_denied(snapshot.settings.deny)) return deny(denied_by::address, snapshot.settings.deny.action);
    if (seen_.asterisk || seen_.max_forwards == 0U) return respond::server_options(out, own_context());

    if (times_seen(facts.fields, snapshot.settings.via_name) >= most_passes) return respond::loop_detected(out, own_context());

    auto const* route = snapshot.routes.match(facts, space_.captures);
    record_.route = route;
    if (!route) return respond::no_route(out, own_context());
    facts.route = route->name;
    facts.captures = space_.captures;
    auto const& denials = snapshot.route_denials[route->id.value()];
    if (is_denied(denials)) return deny(denied_by::address, denials.action);
    auto const& body = space_.request.body;
    if (body_.most_content != 0 && body.how == proxy::body_framing::kind::length && body.length > body_.most_content)
        return respond::too_large(out, own_context());

    look_at_credentials();
    choose_limits();
    return std::nullopt;
}

// Nobody is left to answer: what nginx' users know by this status, which was never sent.
aftermath exchange::abandon()
{
    record_.status = 499;
    record_.failure = proxy::failure::kind::client_gone;
    return aftermath::close;
}

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
            .tokens = view_->snapshot->settings.tokens ? &*view_->snapshot->settings.tokens : nullptr,
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
    if (space_.response.empty()) co_return aftermath::close; // a connection that is closed without an answer
    record_.response_bytes = space_.response.size() - space_.response.find("\r\n\r\n") - 4;
    proxy::gather out;
    out.add(space_.response);
    auto failed = client_.try_write(out);
    if (!out.done()) failed = co_await client_.write_all(out, body_.timeout);
    if (failed) co_return aftermath::close;
    if (persistence_ == persistence::close) co_return aftermath::linger;
    co_return co_await discard_body() ? aftermath::keep_alive : aftermath::close;
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
