// The running program: builds and owns everything, starts it, reloads the configuration, drains. Lives on the main thread
// with a loop of its own for signals and the admin interface; workers have theirs.
#pragma once

#include "conf/load.hpp"
#include "gateway/access_log.hpp"
#include "gateway/admin.hpp"
#include "gateway/exit_status.hpp"
#include "gateway/key_keeper.hpp"
#include "gateway/metrics.hpp"
#include "gateway/wake_pace.hpp"
#include "gateway/worker.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace penstock::gateway {

class app {
public:
    // Loads the configuration anew, for SIGHUP. Problems are logged by the app.
    using loader = std::function<conf::loaded()>;

    app(conf::snapshot_ptr first, loader load);
    ~app();
    app(app const&) = delete;
    app& operator=(app const&) = delete;

    // Serves until SIGTERM or SIGINT and a drain; `started` is called once everything listens.
    exit_status run(std::function<void()> const& started);

private:
    exit_status serve(std::function<void()> const& started);
    void stop_workers();
    void wake_workers(); // one of them has found Redis well
    bool bind_listeners();
    bool start_admin();
    void wait_for_signal();
    void on_signal(int signal);
    void reload(conf::loaded loaded);
    [[nodiscard]] key_keeper::calls calls_of_keys();
    boost::asio::awaitable<void> open_gates(std::function<void()> started);
    boost::asio::awaitable<void> drain();
    boost::asio::awaitable<std::vector<worker_report>> gather_reports();
    boost::asio::awaitable<readiness> judge_readiness();
    boost::asio::awaitable<std::string> collect_metrics(exposition_format format);

    boost::asio::io_context loop_;
    boost::asio::signal_set signals_;
    conf::snapshot_ptr snapshot_;
    loader load_;
    limiter::memory_store memory_;
    limiter::waiting_room waiting_;
    limiter::stand_in local_;
    access_log log_;
    std::unique_ptr<store_watch> store_watch_; // set before there is a worker
    wake_pace wakes_;
    boost::asio::basic_waitable_timer<base::clock> wake_due_;
    std::vector<std::unique_ptr<worker>> workers_;
    key_keeper keys_;
    std::optional<admin> admin_;
    process_report counts_;
    std::vector<std::string> listening_on_;
    bool draining_ = false;
    exit_status status_ = exit_status::done;
};

} // namespace penstock::gateway
