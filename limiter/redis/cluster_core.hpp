// What carries the calls of cluster_store: sends each to the node that has its slot, follows redirections, lets a call wait for
// a first connection or for keys on their way, puts the answers of a request together. Called by cluster_store and by its
// nodes, on the worker's thread. I/O (through the nodes, and a timer).
#pragma once

#include "limiter/redis/cluster_nodes.hpp"
#include "limiter/redis/cluster_request.hpp"
#include "limiter/redis/cluster_store.hpp"
#include "limiter/redis/redirection.hpp"
#include "limiter/redis/slots_outage.hpp"
#include "limiter/redis/unplaced_permits.hpp"
#include "limiter/redis/waiting_calls.hpp"

#include <memory>
#include <vector>

namespace penstock::limiter {

class cluster_store::core final : redis::cluster_nodes::owner,
                                  redis::call_carrier,
                                  redis::waiting_calls::owner,
                                  public std::enable_shared_from_this<core> {
public:
    core(boost::asio::io_context& worker, redis_settings const& wanted, std::uint64_t seed, state_listener listener);

    void start() { nodes_.start(); }
    void adopt(redis_terms const& next);
    void try_at_once() { nodes_.try_at_once(); }
    void stop();

    void ask(std::span<claim const> asked, base::instant deadline, redis::waiter& who);
    void call(redis::background_call what) override;
    void give_back(claim const& what, charge const& taken);
    void hold(claim const& what);
    [[nodiscard]] bool can_ask(claim const& about) const noexcept;
    [[nodiscard]] bool breaker_is_open(claim const& about) const noexcept;

    [[nodiscard]] counts count() const;
    [[nodiscard]] redis::cluster_counts count_cluster() const;

private:
    static constexpr unsigned most_redirections = 4;        // of one call: a slot does not move more often meanwhile
    static constexpr base::micros try_again_after{1'000};   // the keys arrive one by one
    static constexpr std::size_t most_spare_requests = 256; // kept for the next

    using reason = redis::waiting_call::reason;

    // redis::call_carrier
    bool redirect(redis::cluster_call& which, std::string_view error) override;
    void answered(redis::cluster_call& which, redis::resumption when) override;
    // redis::cluster_nodes::owner
    [[nodiscard]] bool any_serves() const noexcept override { return nodes_.any_serves(); }
    void on_changed(redis::cluster_node& which) override;
    void on_slots() override;
    void on_no_slots(errc why) override;
    void tell_worse(redis::notice const& what) override;
    void tell_remark(redis::notice const& what) override;
    void tell_better(redis::notice const& what) override;
    void on_trouble(base::error_code why) override;
    // redis::waiting_calls::owner
    void on_due(std::vector<redis::waiting_call> const& due, base::instant now) override;
    // of both
    [[nodiscard]] std::weak_ptr<void> lifeline() noexcept override { return weak_from_this(); }

    void send(redis::cluster_call& which);
    void send_to(redis::cluster_call& which, redis::cluster_node& node, bool behind_asking);
    void fail(redis::cluster_call& which, errc why);
    [[nodiscard]] bool take_apart(redis::cluster_call& which);
    void note(redis::redirection const& told, redis::cluster_node& to);
    void done(redis::cluster_request& request, redis::resumption when);
    void give_back_in_vain(redis::part_answer const& part);

    void wait(redis::cluster_call& which, base::instant until, reason why);
    void retry(redis::cluster_node* now_changed);
    void missed_slots(errc why, base::instant now);

    [[nodiscard]] bool redirect(redis::background_call& call, std::string_view error, redis::cluster_node& by,
                                unsigned redirections);
    void send_call(redis::background_call what, redis::cluster_node& to, unsigned redirections);

    [[nodiscard]] redis::cluster_node* node_of(std::string_view key) const noexcept;
    [[nodiscard]] std::unique_ptr<redis::cluster_request> take_spare();

    boost::asio::io_context& worker_;
    redis_terms terms_;
    state_listener listener_;
    redis::cluster_counts cluster_counts_;
    counts counts_; // of the errors that no node has counted
    redis::cluster_nodes nodes_;
    std::vector<std::unique_ptr<redis::cluster_request>> spare_;
    redis::waiting_calls waiting_;
    redis::slots_outage slots_outage_;
    redis::unplaced_permits unplaced_;
    bool stopped_ = false;
};

} // namespace penstock::limiter
