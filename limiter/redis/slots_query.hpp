// Asks one node of a cluster for its slots, on a connection of its own that ends with the answer: a long reply, or a node that
// hangs, is then in nobody's way, and any node will do. Used by cluster_nodes, on the worker's thread. I/O.
#pragma once

#include "limiter/redis/connection.hpp"
#include "limiter/redis/reply_tokens.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include <functional>
#include <memory>

namespace penstock::limiter::redis {

class slots_query final : public connection::listener, public std::enable_shared_from_this<slots_query> {
public:
    // Called once, never from within start(), and not after cancel().
    using listener = std::function<void(base::result<std::vector<reply_token>> const& got)>;

    // `of`: whom to ask, and as whom. `tls` is made of its settings.
    slots_query(boost::asio::io_context& worker, redis_settings of, tls_context_ptr tls, listener done);

    void start();
    // Ends by these terms if that is sooner.
    void adopt(redis_terms const& next);
    void cancel() noexcept;

private:
    void on_connected() override;
    void on_bytes(std::span<char const> received) override;
    void on_broken(base::error_code why, std::string_view words) override;
    void await(base::instant end);
    void finish(base::result<std::vector<reply_token>> const& with);

    redis_settings settings_;
    tls_context_ptr tls_; // null: in clear
    listener done_;
    std::shared_ptr<connection> connection_;
    token_reader reader_;
    unsigned replies_due_ = 1;
    base::instant asked_at_{};
    boost::asio::basic_waitable_timer<base::clock> deadline_;
};

} // namespace penstock::limiter::redis
