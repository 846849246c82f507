#include "gateway/worker.hpp"

#include "gateway/utc_time.hpp"
#include "limiter/redis/announcement.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cerrno>
#include <exception>

namespace penstock::gateway {
namespace asio = boost::asio;
namespace {

constexpr auto housekeeping_every = limiter::gateway_census::interval;
constexpr std::string_view fleet_name = "{penstock-gateways}"; // of the key in which gateways announce themselves
constexpr base::micros accept_pause{100'000};                  // when descriptors have run out (OP-47)
constexpr base::micros accept_calm{10'000'000};                // without a failure: descriptors are no longer short
constexpr base::micros returns_patience{250'000};              // with a store that is to take permits back
constexpr base::micros returns_poll{1'000};
constexpr std::size_t log_batch_bytes = 32 * 1024;

proxy::head_limits head_limits_of(conf::message_limits const& limits)
{
    return {.start_line = limits.request_line,
            .field = limits.header_field,
            .fields = limits.headers,
            .field_count = limits.header_count};
}

base::hash_key random_hash_key()
{
    std::random_device random;
    auto const word = [&random] { return std::uint64_t{random()} << 32 | random(); };
    return {.k0 = word(), .k1 = word()};
}

// Whether a hash may stand in the limit's key: for a value that may be a credential, or for all of an identity that is too long
// to be shown, which addresses alone hardly ever are.
bool may_be_hashed(limiter::policy const& limit)
{
    using partition::entry_source;
    return std::ranges::any_of(limit.key, [](partition::entry const& each) {
        return each.source != entry_source::client_ip && each.source != entry_source::client_network &&
               each.source != entry_source::everyone;
    });
}

void rethrow(std::exception_ptr thrown)
{
    if (thrown) std::rethrow_exception(thrown);
}

} // namespace

worker::worker(unsigned index, shared_parts parts, conf::snapshot_ptr first)
    : index_(index),
      parts_(std::move(parts)),
      loop_(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO),
      wheel_(base::clock::now()),
      events_(loop_, wheel_),
      timer_(loop_),
      random_(std::random_device{}()),
      announced_as_(std::uniform_int_distribution<std::int64_t>(1, limiter::exact_bound - 1)(random_)),
      census_(static_cast<std::uint32_t>(random_()))
{
    refresh_date();
    install(std::move(first), {});
}

worker::~worker()
{
    stop();
    join();
}

void worker::listen(proxy::descriptor socket, conf::listener const& settings)
{
    listeners_.push_back(std::make_unique<listening_socket>(loop_, std::move(socket), settings));
}

void worker::start()
{
    thread_ = std::thread([this] {
        asio::co_spawn(loop_, tick(), rethrow);
        loop_.run();
        ended_.set_value();
    });
}

void worker::post_accept()
{
    asio::post(loop_, [this] {
        for (auto& listener : listeners_) asio::co_spawn(loop_, accept_from(*listener), rethrow);
    });
}

void worker::stop()
{
    if (!thread_.joinable() || std::exchange(told_to_stop_, true)) return;
    asio::post(loop_, [this] {
        stopping_ = true;
        drain();
        events_.stop();
        timer_.cancel();
        asio::co_spawn(loop_, stop_store(), rethrow);
    });
}

void worker::join()
{
    if (thread_.joinable()) thread_.join();
}

bool worker::ends_within(base::micros patience)
{
    return !thread_.joinable() || ended_.get_future().wait_for(patience) == std::future_status::ready;
}

asio::awaitable<void> worker::stop_store()
{
    co_await await_returns(view_, returns_end_);
    if (view_->redis) view_->redis->stop();
    flush_log();
}

// Permits that go back are to arrive before the connection that takes them there is closed. `from` holds it.
asio::awaitable<void> worker::await_returns(configuration_view_ptr from, base::instant until)
{
    asio::steady_timer timer(loop_);
    while (from->front && !from->front->leases_settled() && base::clock::now() < until) {
        timer.expires_after(returns_poll);
        co_await timer.async_wait(asio::use_awaitable);
    }
}

asio::awaitable<void> worker::accept_from(listening_socket& socket)
{
    constexpr auto never_failed = base::instant::min();
    auto calm_at = never_failed; // until then it is failing, which is said once
    while (!draining_) {
        auto accepted = co_await socket.accept();
        if (accepted) {
            if (calm_at != never_failed && base::clock::now() >= calm_at) {
                calm_at = never_failed;
                parts_.inform("worker " + std::to_string(index_) + ": connections are accepted again");
            }
            admit_connection(std::move(*accepted), socket.settings());
            continue;
        }
        if (draining_) break;
        if (calm_at == never_failed)
            parts_.warn("worker " + std::to_string(index_) + ": no connection can be accepted: " + accepted.error().message() +
                        "; trying again");
        calm_at = base::clock::now() + accept_calm;
        asio::steady_timer pause(loop_, accept_pause);
        co_await pause.async_wait(asio::use_awaitable);
    }
}

void worker::admit_connection(accepted_connection connection, conf::listener const& by)
{
    ++counts_.connections_total;
    if (by.proxy_protocol != proxy::proxy_protocol::off && connection.peer) {
        auto const& from =
            by.proxy_protocol_from.empty() ? view_->snapshot->settings.client.trusted_proxies : by.proxy_protocol_from;
        if (!partition::is_among(from, *connection.peer)) { // closed unread (IP-31)
            ++counts_.parse_rejections["proxy_header_untrusted"];
            return;
        }
    }
    auto opened = std::make_unique<session>(*this, events_,
                                            session_start{std::move(connection.socket), connection.peer, by.proxy_protocol});
    auto& running = *opened;
    sessions_.push_back(running);
    ++counts_.connections_open;
    auto ended = [this, owned = std::move(opened)](std::exception_ptr thrown) {
        --counts_.connections_open;
        if (!thrown) return;
        try {
            std::rethrow_exception(thrown);
        } catch (std::exception const& error) { // the last resort: this connection ends, the others go on
            parts_.warn(std::string("a connection failed: ") + error.what());
        }
    };
    asio::co_spawn(loop_, running.run(), std::move(ended));
}

asio::awaitable<void> worker::tick()
{
    auto next_housekeeping = base::clock::now();
    while (!stopping_) {
        timer_.expires_after(proxy::deadline_wheel::tick);
        auto const [ec] = co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
        if (ec && stopping_) break;
        auto const now = base::clock::now();
        wheel_.advance(now);
        refresh_date();
        flush_log();
        if (view_->front) view_->front->tick(now);
        if (draining_ && now >= drain_ends_) end_idle_sessions();
        if (now < next_housekeeping) continue;
        next_housekeeping = now + housekeeping_every;
        for (auto const& upstream : view_->upstreams) upstream->expire(now);
        if (index_ != 0) continue;
        parts_.memory.sweep(now);
        announce();
    }
}

// Of the whole process, by its first worker: that it lives, and how many others do.
void worker::announce()
{
    if (!view_->redis) return;
    auto heard = [this](base::result<limiter::redis::reply> const& answer) {
        auto const told = answer ? limiter::redis::decode_announcement(*answer) : answer.error();
        if (told)
            census_.heard(*told, base::clock::now());
        else
            census_.silent();
        parts_.local.set_part(census_.part());
    };
    view_->redis->call({.what = &limiter::redis::scripts::announce,
                        .key = view_->snapshot->keys.prefix + std::string(fleet_name),
                        .arguments = limiter::redis::pack_announcement(announced_as_, limiter::gateway_census::lapse),
                        .done = std::move(heard)});
}

void worker::refresh_date()
{
    auto const now_s = base::wall_clock_us() / 1'000'000;
    if (now_s == date_s_) return;
    date_s_ = now_s;
    date_ = imf_fixdate(now_s);
}

void worker::count_log_line()
{
    ++log_lines_;
    if (log_batch_.size() >= log_batch_bytes) flush_log();
}

void worker::flush_log()
{
    if (log_lines_ == 0) return;
    std::string next;
    next.reserve(log_batch_bytes + 4096);
    parts_.log.submit(std::exchange(log_batch_, std::move(next)), std::exchange(log_lines_, 0));
}

void worker::install(conf::snapshot_ptr next, std::vector<auth::key_set_ptr> const& keys)
{
    auto made = std::make_shared<configuration_view>(parts_.memory, parts_.waiting, parts_.local);
    made->head_limits = head_limits_of(next->settings.limits);
    for (auto const& spec : next->upstreams) {
        std::shared_ptr<proxy::upstream> kept;
        if (view_) { // an upstream that the reload leaves alone keeps its connections
            auto const same =
                std::ranges::find_if(view_->upstreams, [&](auto const& old) { return proxy::equivalent(old->spec(), spec); });
            if (same != view_->upstreams.end()) kept = *same;
        }
        made->upstreams.push_back(kept ? kept : std::make_shared<proxy::upstream>(spec, events_));
        auto& counts = counts_.upstreams[spec.name];
        made->upstream_counts.push_back(&counts);
        auto& servers = made->server_counts.emplace_back();
        for (auto const& server : spec.servers) servers.push_back(&counts.servers[server.label]);
    }
    for (auto const& route : next->routes.routes()) made->route_counts.push_back(&counts_.routes[route.name]);
    for (auto const& policy : next->policies) {
        if (policy.scope == limiter::scope::fleet) counts_.fleet.try_emplace(policy.name);
        auto& counts = counts_.limits[policy.name];
        if (policy.queue.limit > 0 && !counts.queue) counts.queue.emplace();
        made->limit_counts.push_back(&counts);
    }
    if (auto const& tokens = next->settings.tokens) {
        if (!counts_.tokens) counts_.tokens.emplace();
        made->tokens = std::make_unique<token_checker>(*tokens, *counts_.tokens, random_hash_key(), parts_.unknown_key);
        for (std::size_t i = 0; i < keys.size(); ++i) made->tokens->install(tokens->issuers[i].name, keys[i]);
    }
    if (std::ranges::any_of(next->policies, may_be_hashed))
        made->digests = std::make_unique<partition::digest_cache>(random_hash_key());
    census_.set_floor(next->settings.gateways_at_least);
    if (index_ == 0) parts_.local.set_part(census_.part());
    if (next->settings.redis) {
        if (view_ && view_->redis && limiter::is_same_line(*view_->snapshot->settings.redis, *next->settings.redis)) {
            made->redis = view_->redis;
            made->redis->adopt(*next->settings.redis);
            made->front = view_->front;
            made->front->start_anew(base::clock::now());
        } else {
            parts_.local.keep_only(next->keys.prefix + "{"); // in front of each identity
            made->redis = make_store(*next->settings.redis);
            made->front = std::make_shared<limiter::fleet_front>(loop_, *made->redis, random_hash_key(), counts_.fleet);
            made->front->relieve(parts_.local);
        }
        made->stores.fleet = made->front.get();
    } else if (view_ && view_->redis) {
        parts_.store.begins_anew(index_);
    }
    if (view_ && view_->front && view_->front != made->front) {
        auto const now = base::clock::now();
        view_->front->close_leases(now);
        asio::co_spawn(loop_, await_returns(view_, now + returns_patience), rethrow);
    }
    made->snapshot = std::move(next);
    view_ = std::move(made);
}

std::unique_ptr<limiter::fleet_store> worker::make_store(limiter::redis_settings const& wanted)
{
    using change = limiter::fleet_store::change;
    auto tell = [this, who = parts_.store.begins_anew(index_)](change direction, limiter::redis::notice const& what) {
        switch (direction) {
        case change::better:
            if (parts_.store.better(who, what)) parts_.store_is_well();
            return;
        case change::worse: return parts_.store.worse(who, what);
        case change::remark: return parts_.store.remark(who, what);
        }
    };
    return limiter::make_fleet_store(loop_, wanted, random_(), std::move(tell));
}

void worker::post_snapshot(conf::snapshot_ptr next, std::vector<auth::key_set_ptr> keys)
{
    asio::post(loop_, [this, next = std::move(next), keys = std::move(keys)]() mutable { install(std::move(next), keys); });
}

void worker::post_keys(std::string issuer, auth::key_set_ptr keys)
{
    asio::post(loop_, [this, issuer = std::move(issuer), keys = std::move(keys)]() mutable {
        if (view_->tokens) view_->tokens->install(issuer, std::move(keys));
    });
}

void worker::post_store_is_well()
{
    asio::post(loop_, [this] {
        if (view_->redis) view_->redis->try_at_once();
    });
}

void worker::post_drain()
{
    asio::post(loop_, [this] { drain(); });
}

void worker::drain()
{
    if (std::exchange(draining_, true)) return;
    for (auto& listener : listeners_) {
        // Who is in the queue already was promised an answer.
        for (auto waiting = listener->try_accept(); waiting && !stopping_; waiting = listener->try_accept())
            admit_connection(std::move(*waiting), listener->settings());
        listener->close();
    }
    auto const now = base::clock::now();
    returns_end_ = now + returns_patience;
    if (view_->front) view_->front->close_leases(now);
    if (stopping_) return end_idle_sessions();
    drain_ends_ = now + drain_grace;
}

void worker::end_idle_sessions()
{
    for (auto& each : sessions_) each.drain();
}

void worker::post_report(std::function<void(worker_report)> take)
{
    asio::post(loop_, [this, take = std::move(take)] { take(report()); });
}

worker_report worker::report() const
{
    worker_report made;
    made.counts = counts_;
    made.has_redis = view_->redis != nullptr;
    if (made.has_redis) {
        made.redis = view_->redis->count();
        made.cluster = view_->redis->count_cluster();
    }
    auto const now = base::clock::now();
    if (view_->front) view_->front->report_leases(made.counts.fleet, now);
    for (auto const& upstream : view_->upstreams) {
        for (std::size_t i = 0; i < upstream->spec().servers.size(); ++i)
            made.servers.push_back({upstream->spec().name, upstream->spec().servers[i].label, !upstream->is_resting(i, now)});
    }
    return made;
}

} // namespace penstock::gateway
