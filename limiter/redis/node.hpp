// What one worker knows of one Redis node: the link to it, the breaker before it, and what both have counted. Called by
// redis_store, on the worker's thread only. I/O.
#pragma once

#include "limiter/redis/circuit.hpp"
#include "limiter/redis/link.hpp"
#include "limiter/redis/outage_record.hpp"
#include "limiter/redis/redis_store.hpp"

#include <memory>
#include <optional>

namespace penstock::limiter {

struct redis_store::node final : redis::link::owner, redis::circuit::line, std::enable_shared_from_this<redis_store::node> {
public:
    node(boost::asio::io_context& worker, redis_settings wanted, std::uint64_t seed, state_listener changes,
         redis::shared_parts shared);

    void start() { link_.start(); }
    void adopt(redis_terms const& next);
    void try_at_once();
    void stop();

    // Asks; `who` is woken with the answer, or at the deadline, or soon with the reason why nothing can be asked now.
    void ask(std::span<claim const> asked, base::instant deadline, redis::waiter& who, bool behind_asking = false);
    void call(redis::background_call what) { link_.call(std::move(what)); }
    void give_back(claim const& what, charge const& taken) { link_.give_back(what, taken); }
    void hold(claim const& what) { link_.hold(what); }
    // Whether ask() would send something.
    [[nodiscard]] bool can_ask() const noexcept { return !why_not(); }
    [[nodiscard]] bool breaker_is_open() const noexcept { return !circuit_.may_ask(); }

    void waited_in_vain();
    [[nodiscard]] bool is_serving() const noexcept { return link_.serving(); }
    void probe_with(std::string_view key) { circuit_.probe_with(key); }
    [[nodiscard]] redis::permit_keeper& held_permits() noexcept { return link_.held_permits(); }

    [[nodiscard]] counts count() const;
    [[nodiscard]] boost::asio::io_context& worker() noexcept { return worker_; }

private:
    void on_serving() override;
    void on_lost(redis::link::loss const& what) override;
    void on_answered(redis::waiter const& who, std::string_view words) override;
    void on_background_trouble(base::error_code why, std::string_view words) override;
    void on_deaf(base::error_code why, std::string const& words) override;
    void on_trouble(base::error_code why) override;
    void on_opened(errc why, std::string_view words) override;
    void on_recovered() override;
    std::weak_ptr<void> lifeline() noexcept override { return weak_from_this(); }

    [[nodiscard]] bool serving() const noexcept override { return link_.serving(); }
    [[nodiscard]] bool stopped() const noexcept override { return link_.stopped(); }
    void send_probe(std::span<claim const> asked, redis::waiter& who) override;
    void send_probe(redis::background_call what) override { link_.call(std::move(what)); }
    // Why nothing can be asked now, if so.
    [[nodiscard]] std::optional<errc> why_not() const noexcept;
    void tell(redis::change direction, redis::notice const& what);
    // Of what no breaker counts, and which would be mute otherwise however long it lasts.
    void remark(errc why, std::string_view words);

    boost::asio::io_context& worker_;
    redis_settings settings_;
    state_listener listener_;
    counts counts_; // `errors` and `trouble`; the rest is read from the parts
    redis::outage_record outage_;
    redis::link link_;
    redis::circuit circuit_;
};

} // namespace penstock::limiter
