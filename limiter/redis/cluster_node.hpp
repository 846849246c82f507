// One primary of a cluster as one worker uses it: the store of that node, with its own connection, pipeline and breaker, so
// that a dead node fails only its own slots. Owned by cluster_nodes, on the worker's thread. I/O.
#pragma once

#include "limiter/redis/redis_store.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace penstock::limiter::redis {

class cluster_node final : public permit_keeper::line, public std::enable_shared_from_this<cluster_node> {
public:
    // What a node needs of the cluster.
    class cluster {
    public:
        cluster() = default;
        cluster(cluster const&) = delete;
        cluster& operator=(cluster const&) = delete;
        // Sends the call to the node that has its key. Tells `what.done` as fleet_store::call() does.
        virtual void call(background_call what) = 0;
        [[nodiscard]] virtual bool any_serves() const noexcept = 0;
        // In a later turn of the loop: the connection of this node was made or lost, or its breaker has changed.
        virtual void on_changed(cluster_node& which) = 0;
        // One line for the operator.
        virtual void tell_worse(notice const& what) = 0;
        virtual void tell_remark(notice const& what) = 0;
        virtual void on_trouble(base::error_code why) = 0;
        [[nodiscard]] virtual std::weak_ptr<void> lifeline() noexcept = 0;

    protected:
        ~cluster() = default;
    };

    cluster_node(boost::asio::io_context& worker, cluster& of) noexcept : worker_(worker), cluster_(of) {}
    // Once, when it is owned by a shared pointer: begins to connect.
    // `tls`: null, or the cluster's; made anew for each node, the authorities would be read anew each time.
    void start(redis_settings wanted, tls_context_ptr tls, std::uint64_t seed);

    [[nodiscard]] redis_address const& address() const noexcept { return address_; }
    [[nodiscard]] redis_store& store() noexcept { return *store_; }
    [[nodiscard]] redis_store const& store() const noexcept { return *store_; }
    // Its first connection is still being made, and nothing has gone wrong with it: worth a short wait.
    [[nodiscard]] bool is_new() const noexcept { return is_new_; }
    // Something was told of it that is not over yet.
    [[nodiscard]] bool in_trouble() const noexcept { return in_trouble_; }

    // What is to be said of the end of its trouble, once.
    [[nodiscard]] std::optional<notice> take_good_news() noexcept { return std::exchange(good_news_, std::nullopt); }

    // The node is no longer one of the cluster's: ends the connection. Permits that it granted are vouched for where their
    // keys are now.
    void retire();
    // The end, also of a node that was retired: nothing is told of its permits any more.
    void stop();

    base::instant last_owned_at{}; // when the slot map last gave it slots

private:
    [[nodiscard]] bool has_room_for_call() const noexcept override { return cluster_.any_serves(); }
    void call(background_call what) override;
    void out_of_step() override;
    std::weak_ptr<void> lifeline() noexcept override { return weak_from_this(); }
    void changed(change direction, notice const& what);

    boost::asio::io_context& worker_;
    cluster& cluster_;
    redis_address address_;
    std::unique_ptr<redis_store> store_;
    bool is_new_ = true;
    bool in_trouble_ = false;
    std::optional<notice> good_news_;
};

} // namespace penstock::limiter::redis
