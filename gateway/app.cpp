#include "gateway/app.hpp"

#include "gateway/core_count.hpp"
#include "gateway/forced_end.hpp"
#include "gateway/service_notice.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <csignal>
#include <exception>

#include <sys/resource.h>
#include <unistd.h>

namespace penstock::gateway {
namespace asio = boost::asio;
namespace {

constexpr base::micros report_patience{2'000'000}; // for a worker that is busy
constexpr base::micros drain_poll{20'000};
constexpr base::micros patience_at_start{1'000'000}; // with Redis and with issuers of keys
constexpr base::micros patience_at_end{2'000'000};   // with workers that were told to stop
constexpr std::chrono::seconds rest_of_end{2};       // for what comes then; more than the access log's farewell

// Connections are descriptors: take all that this process may have (OP-47).
void raise_descriptor_limit()
{
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit); // refused: what we have has to do
}

void log_problems(std::vector<conf::problem> const& problems)
{
    for (auto const& each : problems) {
        if (each.level == conf::problem::severity::error)
            spdlog::error("{}", each.to_string());
        else
            spdlog::warn("{}", each.to_string());
    }
}

std::string with_port(conf::bind_address const& address, std::uint16_t port)
{
    if (!address.unix_path.empty()) return address.text;
    auto const is_v6 = address.host.find(':') != std::string::npos;
    return (is_v6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(port);
}

// What was bound or sized at start cannot follow a reload.
void warn_of_what_stays(conf::settings const& old, conf::settings const& next)
{
    auto const is_same = [](conf::listener const& a, conf::listener const& b) {
        return a.address.text == b.address.text && a.proxy_protocol == b.proxy_protocol &&
               a.proxy_protocol_from == b.proxy_protocol_from;
    };
    auto const same_listeners = std::ranges::equal(old.listeners, next.listeners, is_same);
    auto const same_admin =
        old.admin.has_value() == next.admin.has_value() &&
        (!old.admin || (old.admin->address.text == next.admin->address.text && old.admin->token == next.admin->token));
    if (!same_listeners) spdlog::warn("listeners changed: this takes a restart");
    if (!same_admin) spdlog::warn("admin changed: this takes a restart");
    if (old.workers != next.workers) spdlog::warn("workers changed: this takes a restart");
    if (old.memory_keys != next.memory_keys) spdlog::warn("memory.max_keys changed: this takes a restart");
    if (old.max_waiters != next.max_waiters) spdlog::warn("memory.max_waiters changed: this takes a restart");
}

auth::token_settings const* tokens_of(conf::snapshot const& from)
{
    return from.settings.tokens ? &*from.settings.tokens : nullptr;
}

void rethrow(std::exception_ptr thrown)
{
    if (thrown) std::rethrow_exception(thrown);
}

} // namespace

app::app(conf::snapshot_ptr first, loader load)
    : loop_(1),
      signals_(loop_, SIGTERM, SIGINT, SIGHUP),
      snapshot_(std::move(first)),
      load_(std::move(load)),
      memory_({.max_keys = snapshot_->settings.memory_keys}),
      waiting_(snapshot_->settings.max_waiters),
      local_(memory_),
      log_(STDOUT_FILENO),
      wake_due_(loop_),
      keys_(loop_, calls_of_keys())
{
    std::signal(SIGPIPE, SIG_IGN); // a peer that has gone is an error of one write (OP-45)
    raise_descriptor_limit();
    counts_.last_reload_success_s = base::wall_clock_us() / 1'000'000;
}

app::~app()
{
    stop_workers();
    for (auto& each : workers_) each->join(); // all, before any of them goes
}

bool app::bind_listeners()
{
    for (auto const& listener : snapshot_->settings.listeners) {
        auto const& address = listener.address;
        if (auto const taken = check_free(address)) {
            spdlog::error("cannot listen on {}: {}", address.text, taken.message());
            return false;
        }
        auto port = address.port;
        std::optional<proxy::descriptor> unix_socket;
        for (auto& each : workers_) {
            auto bound = unix_socket ? duplicate(*unix_socket) : bind_and_listen(address, port);
            if (!bound) {
                spdlog::error("cannot listen on {}: {}", address.text, bound.error().message());
                return false;
            }
            port = port_of(*bound);
            if (!address.unix_path.empty() && !unix_socket) {
                if (auto copy = duplicate(*bound)) unix_socket.emplace(std::move(*copy));
            }
            each->listen(std::move(*bound), listener);
        }
        listening_on_.push_back(with_port(address, port));
    }
    return true;
}

bool app::start_admin()
{
    auto const& settings = snapshot_->settings.admin;
    if (!settings) return true;
    auto const reload_now = [this] {
        std::vector<std::string> problems;
        auto loaded = load_();
        for (auto const& each : loaded.problems) {
            if (each.level == conf::problem::severity::error) problems.push_back(each.to_string());
        }
        reload(std::move(loaded));
        return problems;
    };
    admin_.emplace(loop_, *settings,
                   admin_calls{.judge = [this] { return judge_readiness(); },
                               .metrics = [this](exposition_format format) { return collect_metrics(format); },
                               .reload = reload_now});
    if (auto const started = admin_->start(); !started) {
        spdlog::error("cannot listen on {}: {}", settings->address.text, started.error().message());
        return false;
    }
    spdlog::info("admin on {}", with_port(settings->address, admin_->endpoint().port()));
    return true;
}

exit_status app::run(std::function<void()> const& started)
{
    auto const status = serve(started);
    // A resolver's thread may be waiting for a name server, and whoever destroys its loop waits with it.
    force_end_within(rest_of_end, status);
    return status;
}

exit_status app::serve(std::function<void()> const& started)
{
    auto const wanted = snapshot_->settings.workers;
    auto const count = wanted != 0 ? wanted : usable_cores();
    auto const inform = [](std::string const& line) { spdlog::info("{}", line); };
    auto const warn = [](std::string const& line) { spdlog::warn("{}", line); };
    auto const about_redis = [](auto const& say) { return [say](std::string const& line) { say("redis: " + line); }; };
    store_watch_ = std::make_unique<store_watch>(about_redis(inform), about_redis(warn));
    auto const ask_for_keys = [this](std::string const& issuer) {
        asio::post(loop_, [this, issuer] { keys_.note_unknown_key(issuer); });
    };
    auto const wake_others = [this] { asio::post(loop_, [this] { wake_workers(); }); };
    shared_parts const parts{memory_, waiting_, local_, log_, *store_watch_, inform, warn, ask_for_keys, wake_others};
    for (unsigned i = 0; i < count; ++i) workers_.push_back(std::make_unique<worker>(i, parts, snapshot_));
    if (!bind_listeners() || !start_admin()) return exit_status::refused;
    for (auto& each : workers_) each->start();
    keys_.follow(tokens_of(*snapshot_));
    wait_for_signal();
    asio::co_spawn(loop_, open_gates(started), rethrow);
    loop_.run();
    stop_workers();
    auto const by = base::clock::now() + patience_at_end;
    auto const has_ended = [by](auto const& each) { return each->ends_within(by - base::clock::now()); };
    if (!std::ranges::all_of(workers_, has_ended)) spdlog::warn("not waiting for what still runs, such as a look-up of a name");
    spdlog::info("stopped");
    return status_;
}

void app::stop_workers()
{
    for (auto& each : workers_) each->announce_stop();
    for (auto& each : workers_) each->stop();
}

// One call wakes the caller, too, who pauses no more.
void app::wake_workers()
{
    auto const at = wakes_.asked(base::clock::now());
    if (!at) return;
    wake_due_.expires_at(*at);
    wake_due_.async_wait([this](base::error_code cancelled) {
        if (cancelled) return;
        wakes_.woken(base::clock::now());
        for (auto& each : workers_) each->post_store_is_well();
    });
}

key_keeper::calls app::calls_of_keys()
{
    return {.inform = [](std::string const& line) { spdlog::info("{}", line); },
            .warn = [](std::string const& line) { spdlog::warn("{}", line); },
            .publish =
                [this](std::string const& issuer, auth::key_set_ptr const& keys) {
                    for (auto& each : workers_) each->post_keys(issuer, keys);
                }};
}

// The first requests are not to meet a store that is only still being connected to, nor issuers whose keys are on their way.
// Without Redis, and without keys, it starts all the same.
asio::awaitable<void> app::open_gates(std::function<void()> started)
{
    auto const by = base::clock::now() + patience_at_start;
    asio::steady_timer timer(loop_);
    while (base::clock::now() < by) {
        auto const reports = co_await gather_reports();
        auto const is_connected = [](auto const& each) { return !each.has_redis || each.redis.up; };
        if (keys_.is_complete() && std::ranges::all_of(reports, is_connected)) break;
        timer.expires_after(base::micros{2'000});
        co_await timer.async_wait(asio::use_awaitable);
    }
    for (auto& each : workers_) each->post_accept();
    for (auto const& address : listening_on_) spdlog::info("listening on {}", address);
    notify_ready();
    started();
}

void app::wait_for_signal()
{
    signals_.async_wait([this](base::error_code ec, int signal) {
        if (!ec) on_signal(signal);
    });
}

void app::on_signal(int signal)
{
    wait_for_signal();
    if (signal == SIGHUP) {
        reload(load_());
        return;
    }
    if (draining_) { // asked twice: now (OP-43)
        spdlog::warn("stopping without waiting any longer");
        status_ = exit_status::refused;
        loop_.stop();
        return;
    }
    asio::co_spawn(loop_, drain(), rethrow);
}

void app::reload(conf::loaded loaded)
{
    notify_reloading();
    log_problems(loaded.problems);
    if (!loaded.snapshot) {
        ++counts_.reloads_failed;
        spdlog::error("the configuration was not reloaded; the old one stays in force");
    } else {
        ++counts_.reloads_succeeded;
        counts_.last_reload_success_s = base::wall_clock_us() / 1'000'000;
        warn_of_what_stays(snapshot_->settings, loaded.snapshot->settings);
        snapshot_ = std::move(loaded.snapshot);
        keys_.follow(tokens_of(*snapshot_));
        auto const* tokens = tokens_of(*snapshot_);
        auto const known = tokens != nullptr ? keys_.current(*tokens) : std::vector<auth::key_set_ptr>{};
        for (auto& each : workers_) each->post_snapshot(snapshot_, known);
        spdlog::info("the configuration was reloaded");
    }
    notify_ready();
}

asio::awaitable<void> app::drain()
{
    draining_ = true;
    notify_stopping();
    auto const& timeouts = snapshot_->settings.timeouts;
    spdlog::info("draining");
    asio::steady_timer timer(loop_, timeouts.pre_drain);
    co_await timer.async_wait(asio::use_awaitable);
    for (auto& each : workers_) each->post_drain();
    auto const by = base::clock::now() + timeouts.drain;
    for (;;) {
        auto const reports = co_await gather_reports();
        auto const open = std::ranges::any_of(reports, [](auto const& each) { return each.counts.connections_open != 0; });
        if (!open) break;
        if (base::clock::now() >= by) {
            spdlog::warn("the drain has taken its time; ending what is left");
            status_ = exit_status::refused;
            break;
        }
        timer.expires_after(drain_poll);
        co_await timer.async_wait(asio::use_awaitable);
    }
    loop_.stop();
}

asio::awaitable<std::vector<worker_report>> app::gather_reports()
{
    struct collection {
        explicit collection(asio::io_context& loop) : all_here(loop, report_patience) {}
        std::vector<worker_report> reports;
        asio::steady_timer all_here; // cancelled when they are
    };
    auto const collected = std::make_shared<collection>(loop_);
    auto const count = workers_.size();
    for (auto& each : workers_) {
        each->post_report([this, collected, count](worker_report report) {
            asio::post(loop_, [collected, count, report = std::move(report)]() mutable {
                collected->reports.push_back(std::move(report));
                if (collected->reports.size() == count) collected->all_here.cancel();
            });
        });
    }
    auto const [ignored] = co_await collected->all_here.async_wait(asio::as_tuple(asio::use_awaitable));
    static_cast<void>(ignored); // late workers are left out of this scrape
    co_return std::move(collected->reports);
}

asio::awaitable<readiness> app::judge_readiness()
{
    readiness state;
    if (draining_) {
        state.ready = false;
        state.reasons.emplace_back("draining");
        co_return state;
    }
    auto const reports = co_await gather_reports();
    if (reports.size() < workers_.size()) state.reasons.emplace_back("a worker does not answer");
    state.ready = reports.size() == workers_.size();
    for (auto const& issuer : keys_.report()) { // its tokens are refused, everybody else is served
        if (issuer.keys == 0) state.reasons.emplace_back("no keys of issuer " + issuer.issuer + " are known");
    }
    auto const down = std::ranges::find_if(
        reports, [](auto const& each) { return each.has_redis && (!each.redis.up || each.redis.breaker_state != 0); });
    if (down == reports.end()) co_return state;
    auto const& trouble = down->redis.trouble;
    state.reasons.emplace_back("redis: " + (trouble.empty() ? "not connected, or not answering in time" : trouble));
    for (auto const& policy : snapshot_->policies) { // whoever fails closed cannot serve without it (OP-1)
        if (policy.scope == limiter::scope::fleet && policy.on_store_failure == limiter::failure_mode::deny)
            state.ready = false;
    }
    co_return state;
}

asio::awaitable<std::string> app::collect_metrics(exposition_format format)
{
    auto const reports = co_await gather_reports();
    auto process = counts_;
    process.memory = memory_.count();
    process.key_sets = keys_.report();
    process.local = local_.count();
    process.dropped_log_lines = log_.dropped_lines();
    co_return expose_metrics(reports, process, format);
}

} // namespace penstock::gateway
