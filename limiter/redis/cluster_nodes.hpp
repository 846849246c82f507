// The nodes of a cluster and which of them has which slot, as one worker knows them: begins with the configured nodes, asks
// for the slots, keeps a connection to each primary, follows what MOVED says, and asks again when something seems wrong.
// Owned by cluster_store, on the worker's thread. I/O.
#pragma once

#include "limiter/redis/cluster_node.hpp"
#include "limiter/redis/outage_record.hpp"
#include "limiter/redis/refresh_pace.hpp"
#include "limiter/redis/slot_map.hpp"
#include "limiter/redis/slots_query.hpp"
#include "limiter/redis/tls_context.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include <memory>
#include <vector>

namespace penstock::limiter::redis {

class cluster_nodes {
public:
    // `of`: also told when the slots have become known anew, and while none are known of each question for them that failed.
    class owner : public cluster_node::cluster {
    public:
        virtual void on_slots() = 0;
        virtual void on_no_slots(errc why) = 0;
        virtual void tell_better(notice const& what) = 0;

    protected:
        ~owner() = default;
    };

    cluster_nodes(boost::asio::io_context& worker, redis_settings wanted, std::uint64_t seed, owner& of);

    void start() { refresh(); }
    void adopt(redis_terms const& next); // also for the nodes to come
    void try_at_once();
    void stop();

    // Whether any slot has an owner.
    [[nodiscard]] bool knows_slots() const noexcept { return !owners_.empty(); }
    // Null: nobody has this slot, as far as we know.
    [[nodiscard]] cluster_node* owner_of(cluster_slot slot) const noexcept
    {
        auto const index = map_->owner_of(slot);
        return index == slot_map::nobody ? nullptr : owners_[index];
    }
    // The node of an address that another node has named, `said_by`, which is its host where the address has none. Null: there
    // are too many.
    [[nodiscard]] cluster_node* node_at(redis_address address, cluster_node const& said_by);
    // This slot has moved there.
    void moved(cluster_slot slot, cluster_node& to);
    // What is known seems to be wrong: asks again, soon.
    void refresh() { resume(refresh_pace::event::wanted); }
    // The node, present or former, which has granted permits of this key; null: none.
    [[nodiscard]] cluster_node* holder_of(std::string_view key) const noexcept;

    // Something was said that is not well: that all is well again is to be said, too.
    void trouble_was_told() noexcept { all_well_ = false; }
    // A node or the map has changed: says what trouble has ended, and once that all is well again.
    void review();

    [[nodiscard]] bool any_serves() const noexcept;
    // Of all nodes, the former ones too. Up: every slot has an owner that serves.
    [[nodiscard]] node_counts count() const;
    [[nodiscard]] std::size_t owner_count() const noexcept;
    [[nodiscard]] std::uint64_t refreshes() const noexcept { return refreshes_; }
    [[nodiscard]] std::uint64_t refreshes_failed() const noexcept { return refreshes_failed_; }

private:
    using nodes = std::vector<std::shared_ptr<cluster_node>>;
    static constexpr base::micros unowned_for{10'000'000}; // then a connection without slots is closed
    static constexpr std::size_t most_nodes = slot_map::most_nodes;

    void resume(refresh_pace::event what);
    void await(base::instant until);
    void ask();
    void answered(redis_address const& by, base::result<std::vector<reply_token>> const& got);
    void adopt(std::unique_ptr<slot_map> next);
    void use_map(base::instant now);
    void retire(std::shared_ptr<cluster_node> const& which);
    [[nodiscard]] cluster_node* find_or_add(redis_address const& address);
    [[nodiscard]] std::vector<redis_address> whom_to_ask() const;
    [[nodiscard]] bool a_node_is_in_trouble() const noexcept;
    [[nodiscard]] bool is_well() const noexcept;
    [[nodiscard]] std::string about_unowned() const;
    void tell_failure(errc why, std::string what);
    void read_password_again(base::result<std::vector<reply_token>> const& got);

    boost::asio::io_context& worker_;
    redis_settings settings_;
    tls_context_ptr tls_;    // null: in clear
    std::string key_prefix_; // of the probes' keys
    std::uint64_t seed_;
    owner& owner_;
    std::unique_ptr<slot_map> map_;
    slot_map::gap unowned_;             // as the last answer had it
    std::vector<cluster_node*> owners_; // by index in the map
    nodes nodes_;
    nodes retired_; // gone, but requests still hold permits that they granted
    node_counts of_retired_;
    refresh_pace pace_;
    boost::asio::basic_waitable_timer<base::clock> due_;
    base::instant due_at_ = base::instant::max(); // also while a question is under way
    std::shared_ptr<slots_query> query_;
    std::size_t next_asked_ = 0;
    std::uint64_t refreshes_ = 0;
    std::uint64_t refreshes_failed_ = 0;
    outage_record failures_;   // of the questions before the first answer, as they were told
    std::string last_failure_; // of these the last
    bool all_well_ = false;    // and told, and nothing else since
    bool told_unowned_ = false;
    bool stopped_ = false;
};

} // namespace penstock::limiter::redis
