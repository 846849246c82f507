// One worker of the gateway, as far as the store needs it: an event loop and the fleet's store on it, driven by the test's own
// thread. Waits are for conditions, each with a deadline.
#pragma once

#include "limiter/error.hpp"
#include "limiter/redis/fleet_store.hpp"
#include "tests/support/redis_server.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace penstock::tests {

inline limiter::redis_settings settings_for(redis_server const& server)
{
    limiter::redis_settings wanted;
    wanted.host = "127.0.0.1";
    wanted.port = server.port();
    // So long that a busy machine does not fail a test that is not about time.
    wanted.check_timeout = std::chrono::seconds(10);
    return wanted;
}

class redis_worker {
public:
    using answer = base::result<limiter::verdict>;

    explicit redis_worker(limiter::redis_settings const& wanted) { start(wanted); }
    // For a test whose server lives on the same loop: start() when it does.
    redis_worker() = default;
    void start(limiter::redis_settings const& wanted)
    {
        store_ = limiter::make_fleet_store(
            io_, wanted, 42,
            [this](limiter::fleet_store::change, limiter::redis::notice const& what) { told_.push_back(what.text); });
    }
    ~redis_worker()
    {
        store_.reset();
        io_.restart();
        io_.poll();
    }
    redis_worker(redis_worker const&) = delete;
    redis_worker& operator=(redis_worker const&) = delete;

    [[nodiscard]] boost::asio::io_context& io() noexcept { return io_; }
    [[nodiscard]] limiter::fleet_store& store() noexcept { return *store_; }
    [[nodiscard]] std::vector<std::string> const& told() const noexcept { return told_; }
    [[nodiscard]] bool was_told(std::string const& part) const
    {
        return std::any_of(told_.begin(), told_.end(), [&](auto const& line) { return line.find(part) != std::string::npos; });
    }

    // Runs the loop until `reached`; throws after ten seconds.
    void run_until(std::function<bool()> const& reached)
    {
        auto const limit = base::clock::now() + std::chrono::seconds(10);
        io_.restart();
        while (!reached()) {
            if (base::clock::now() > limit) throw std::runtime_error("not reached within ten seconds");
            io_.run_one_for(std::chrono::milliseconds(20));
            if (io_.stopped()) io_.restart();
        }
    }
    void until_up()
    {
        run_until([this] { return store_->count().up && store_->count().breaker_state == 0; });
    }

    // Asks when the loop runs next; `then` is told the answer.
    void spawn(std::span<limiter::claim const> claims, base::instant deadline, std::function<void(answer)> then)
    {
        boost::asio::co_spawn(io_, store_->acquire(claims, deadline),
                              [then = std::move(then)](std::exception_ptr failed, answer got) {
                                  then(failed ? answer{limiter::errc::protocol} : std::move(got));
                              });
    }
    answer ask(std::span<limiter::claim const> claims, base::instant deadline = base::instant::max())
    {
        return ask_together({claims}, deadline).front();
    }
    // All of them in the same turn of the loop.
    std::vector<answer> ask_together(std::vector<std::span<limiter::claim const>> const& all,
                                     base::instant deadline = base::instant::max())
    {
        std::vector<answer> answers(all.size(), answer{limiter::errc::not_connected});
        std::size_t done = 0;
        for (std::size_t i = 0; i < all.size(); ++i)
            spawn(all[i], deadline, [&answers, &done, i](answer got) {
                answers[i] = std::move(got);
                ++done;
            });
        run_until([&] { return done == all.size(); });
        return answers;
    }

private:
    boost::asio::io_context io_;
    std::vector<std::string> told_;
    std::unique_ptr<limiter::fleet_store> store_;
};

// One claim with the policy that it points to.
struct one_claim {
    one_claim(limiter::algorithm parameters, std::string_view key, std::int64_t cost = 1)
    {
        policy.quota.algorithm = parameters;
        claim.policy = &policy;
        claim.key.append(key);
        claim.cost = cost;
    }
    one_claim(one_claim const&) = delete;
    one_claim& operator=(one_claim const&) = delete;
    [[nodiscard]] std::span<limiter::claim const> view() const noexcept { return {&claim, 1}; }

    limiter::policy policy;
    limiter::claim claim;
};

} // namespace penstock::tests
