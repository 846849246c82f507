// One worker: a thread with its own event loop, listeners, connections, upstream connections, Redis connection and counters.
// Nothing of it is shared; other threads reach it only through post_*(), which hand it values. Owned by app.
#pragma once

#include "auth/key_set.hpp"
#include "base/result.hpp"
#include "conf/snapshot.hpp"
#include "gateway/access_log.hpp"
#include "gateway/configuration_view.hpp"
#include "gateway/listening_socket.hpp"
#include "gateway/session.hpp"
#include "gateway/store_watch.hpp"
#include "gateway/telemetry.hpp"
#include "gateway/workspace.hpp"
#include "limiter/gateway_census.hpp"
#include "limiter/memory_store.hpp"
#include "limiter/redis/fleet_store.hpp"
#include "limiter/waiting_room.hpp"
#include "proxy/deadline.hpp"
#include "proxy/poller.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace penstock::gateway {

// What workers share. Each is thread safe; all outlive the workers.
struct shared_parts {
    limiter::memory_store& memory;
    limiter::waiting_room& waiting;
    limiter::stand_in& local;
    access_log& log;
    store_watch& store;
    std::function<void(std::string const&)> inform;      // one line for the operator
    std::function<void(std::string const&)> warn;        // likewise, about something that is not as it should be
    std::function<void(std::string const&)> unknown_key; // a token names a key that this issuer is not known to have
    std::function<void()> store_is_well;                 // a worker has found it so, and others have not yet
};

// A copy of what a worker knows of itself, for a scrape.
struct worker_report {
    telemetry counts;
    limiter::fleet_store::counts redis;
    std::optional<limiter::redis::cluster_counts> cluster; // of a cluster only
    bool has_redis = false;
    struct server_health {
        std::string upstream;
        std::string server;
        bool healthy = true;
    };
    std::vector<server_health> servers;
};

class worker {
public:
    worker(unsigned index, shared_parts parts, conf::snapshot_ptr first);
    ~worker();
    worker(worker const&) = delete;
    worker& operator=(worker const&) = delete;

    // Before start(): connections that come here will belong to this worker.
    void listen(proxy::descriptor socket, conf::listener const& settings);
    // Runs the loop; connections wait in their queues until post_accept().
    void start();
    // Stopping several: say so to each first, from any thread, so that what one lets go does not begin anew in another.
    void announce_stop() noexcept { stopping_ = true; }
    // Ends every connection at once, and the thread soon.
    void stop();
    void join();
    // Whether the thread has ended by then. After stop(), once.
    [[nodiscard]] bool ends_within(base::micros patience);

    // From any thread.
    void post_accept();
    // `keys` by issuer, where tokens are looked at: as they are known now.
    void post_snapshot(conf::snapshot_ptr next, std::vector<auth::key_set_ptr> keys);
    void post_keys(std::string issuer, auth::key_set_ptr keys);
    void post_store_is_well(); // another worker has found it so
    void post_drain();         // accept no more, answer with Connection: close, end idle connections
    void post_report(std::function<void(worker_report)> take);

    // How long a client that is between two requests may still send one after a drain has begun: it is answered, with
    // Connection: close, where closing at once would lose what is on its way (OP-43).
    static constexpr base::micros drain_grace{1'000'000};

    // For sessions, on this worker's thread.
    [[nodiscard]] configuration_view_ptr const& view() const noexcept { return view_; }
    [[nodiscard]] shared_parts const& parts() const noexcept { return parts_; }
    [[nodiscard]] telemetry& counts() noexcept { return counts_; }
    [[nodiscard]] workspace_pool& workspaces() noexcept { return workspaces_; }
    [[nodiscard]] bool draining() const noexcept { return draining_; }
    [[nodiscard]] bool stopping() const noexcept { return stopping_; }
    [[nodiscard]] std::string_view date() const noexcept { return date_; } // IMF-fixdate
    [[nodiscard]] std::int64_t date_s() const noexcept { return date_s_; } // the same, seconds since the epoch
    [[nodiscard]] std::string& log_batch() noexcept { return log_batch_; }
    void count_log_line();
    [[nodiscard]] std::uint32_t next_turn() noexcept { return turn_++; } // of the shards of a limit
    double dice() noexcept { return std::uniform_real_distribution<double>(0.0, 1.0)(random_); }

private:
    using sessions = boost::intrusive::list<session, boost::intrusive::constant_time_size<false>>;

    boost::asio::awaitable<void> accept_from(listening_socket& socket);
    boost::asio::awaitable<void> tick();
    void admit_connection(accepted_connection connection, conf::listener const& by);
    void install(conf::snapshot_ptr next, std::vector<auth::key_set_ptr> const& keys);
    std::unique_ptr<limiter::fleet_store> make_store(limiter::redis_settings const& wanted);
    void announce();
    void refresh_date();
    void flush_log();
    void drain();
    void end_idle_sessions();
    boost::asio::awaitable<void> stop_store();
    boost::asio::awaitable<void> await_returns(configuration_view_ptr from, base::instant until);
    worker_report report() const;

    unsigned index_;
    shared_parts parts_;
    boost::asio::io_context loop_;
    proxy::deadline_wheel wheel_;
    proxy::poller events_;
    boost::asio::steady_timer timer_;
    std::vector<std::unique_ptr<listening_socket>> listeners_;
    sessions sessions_;
    telemetry counts_;
    workspace_pool workspaces_;
    configuration_view_ptr view_;
    std::string date_;
    std::int64_t date_s_ = -1;
    std::string log_batch_;
    std::uint64_t log_lines_ = 0;
    bool draining_ = false;
    base::instant drain_ends_ = base::instant::max();  // for connections between two requests
    base::instant returns_end_ = base::instant::max(); // of the wait for permits that go back; set by drain()
    std::atomic<bool> stopping_ = false;
    std::mt19937_64 random_;
    std::uint32_t turn_ = 0;
    std::int64_t announced_as_;      // the process, where this is its first worker
    limiter::gateway_census census_; // likewise
    bool told_to_stop_ = false;      // of the owner's thread, as all below
    std::promise<void> ended_;
    std::thread thread_;
};

} // namespace penstock::gateway
