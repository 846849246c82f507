// A store of either kind as the table of algorithms looks at it: asked at a given time, and looked into from outside. The one
// in Redis stands for a gateway's worker.
#pragma once

#include "limiter/memory_store.hpp"
#include "tests/contract/script_caller.hpp"

#include <optional>
#include <string>

namespace penstock::tests {

class algorithm_store {
public:
    algorithm_store() = default;
    algorithm_store(algorithm_store const&) = delete;
    algorithm_store& operator=(algorithm_store const&) = delete;
    virtual ~algorithm_store() = default;

    [[nodiscard]] virtual char const* name() const = 0;
    virtual limiter::verdict acquire(std::span<limiter::claim const> asked, base::instant now) = 0;
    virtual void give_back(limiter::claim const& what, limiter::charge const& taken, base::instant now) = 0;
    // Grows with everything that the store keeps or changes.
    [[nodiscard]] virtual std::int64_t written() const = 0;
    // Whether the counter is gone by itself at `now`, or will be: when nothing of `until` is left, and not long after.
    virtual bool expires(limiter::claim const& what, base::instant until, base::instant now) = 0;
};

class in_memory final : public algorithm_store {
public:
    [[nodiscard]] char const* name() const override { return "memory"; }
    limiter::verdict acquire(std::span<limiter::claim const> asked, base::instant now) override
    {
        return store_.acquire(asked, now);
    }
    void give_back(limiter::claim const& what, limiter::charge const& taken, base::instant now) override
    {
        store_.give_back(what, taken, now);
    }
    // What is written into a counter cannot be seen from here; that one is made can.
    [[nodiscard]] std::int64_t written() const override { return static_cast<std::int64_t>(store_.count().keys); }
    bool expires(limiter::claim const&, base::instant until, base::instant) override
    {
        auto const before = store_.count().keys;
        return keys_after_sweeping(until - base::micros{1}) == before && keys_after_sweeping(until + base::micros{1}) < before;
    }

private:
    std::uint64_t keys_after_sweeping(base::instant now)
    {
        for (int part = 0; part < 1000; ++part) store_.sweep(now); // each looks at a few counters
        return store_.count().keys;
    }

    limiter::memory_store store_{{.max_keys = 1000, .clock_may_step = true}};
};

class in_redis final : public algorithm_store {
public:
    [[nodiscard]] char const* name() const override { return "Redis"; }
    limiter::verdict acquire(std::span<limiter::claim const> asked, base::instant now) override
    {
        return store_.acquire(asked, now);
    }
    void give_back(limiter::claim const& what, limiter::charge const& taken, base::instant now) override
    {
        store_.give_back(what, taken, now);
    }
    [[nodiscard]] std::int64_t written() const override { return server_.info("persistence", "rdb_changes_since_last_save"); }
    bool expires(limiter::claim const& what, base::instant until, base::instant now) override
    {
        auto const ends_ms = std::stoll(server_.command({"PEXPIRETIME", std::string(what.key.view())}));
        // Keys of one limit share a few instants at which they go: up to four seconds, or an eighth of a window, later.
        auto const least_ms = base::since_epoch_us(until) / 1000;
        auto const most_ms = least_ms + std::max<std::int64_t>(4000, (until - now).count() / 1000 / 8 + 2);
        return least_ms <= ends_ms && ends_ms <= most_ms;
    }
    [[nodiscard]] redis_server const& server() const noexcept { return server_; }

private:
    redis_server server_;
    script_store store_{server_};
};

} // namespace penstock::tests
