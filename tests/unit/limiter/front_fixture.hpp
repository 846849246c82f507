// fleet_front before a store that is this process's, and answers when it is told to.
#pragma once

#include "limiter/acquire.hpp"
#include "limiter/error.hpp"
#include "limiter/fleet_front.hpp"
#include "limiter/memory_store.hpp"
#include "tests/unit/limiter/claims.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <doctest/doctest.h>

#include <deque>
#include <string>
#include <utility>
#include <vector>

namespace penstock::limiter::tests {

using namespace std::chrono_literals;
using answer = base::result<verdict>;

class held_store final : public asked_store {
public:
    boost::asio::awaitable<answer> acquire(std::span<claim const>, base::instant) override { co_return errc::protocol; }
    void give_back(claim const& what, charge const&) noexcept override { given_back.emplace_back(what.key.view()); }
    void ask(std::span<claim const> asked, base::instant deadline, redis::waiter& who) override
    {
        times.push_back(asked.front().times);
        deadlines.push_back(deadline);
        held.push_back({asked, &who});
    }

    void lease(lease_request const& asked, lease_listener done) override { leases.emplace_back(asked, std::move(done)); }
    void hold(claim const& what) override { held_here.emplace_back(what.key.view()); }
    [[nodiscard]] bool can_ask(claim const&) const noexcept override { return reachable; }
    [[nodiscard]] bool breaker_is_open(claim const&) const noexcept override { return open; }
    void call(redis::background_call) override { FAIL("nobody here calls in the background"); }

    // Another gateway's request was charged.
    void charge(claim const& asked) { memory_.acquire({&asked, 1}, base::clock::now()); }
    // Answers the oldest call.
    void answer_one()
    {
        auto const [asked, who] = held.front();
        held.pop_front();
        who->answer(fails ? answer{*fails} : answer{said_of(asked)});
        who->wake(redis::resumption::now);
    }

    std::deque<std::pair<std::span<claim const>, redis::waiter*>> held;
    std::vector<std::uint32_t> times; // of each call
    std::vector<base::instant> deadlines;
    std::vector<std::string> given_back;
    std::vector<std::string> held_here; // granted without this store
    bool reachable = true;
    bool open = false; // the breaker
    std::deque<std::pair<lease_request, lease_listener>> leases;
    std::optional<errc> fails;

private:
    verdict said_of(std::span<claim const> asked)
    {
        auto const now = base::clock::now();
        auto one = asked.front();
        if (one.times == 1) return granting(1, memory_.acquire(asked, now));
        one.cost = 0;
        auto const room = memory_.acquire({&one, 1}, now).decisions[0].remaining / asked.front().cost;
        auto const granted = std::min<std::int64_t>(room, one.times);
        one.cost = asked.front().cost * std::max<std::int64_t>(granted, 1);
        return granting(static_cast<std::uint32_t>(granted), memory_.acquire({&one, 1}, now));
    }
    static verdict granting(std::uint32_t requests, verdict said)
    {
        said.granted = said.allowed ? requests : 0;
        return said;
    }

    memory_store memory_{{.max_keys = 1000}};
};

class front_test {
public:
    // Asks when the loop runs next.
    void ask(claims const& asked, base::instant deadline = base::instant::max())
    {
        auto const& kept = asked_.emplace_back(asked);
        auto& place = answers.emplace_back();
        boost::asio::co_spawn(loop_, front.acquire(kept, deadline), [&place](std::exception_ptr failed, answer got) {
            CHECK_FALSE(failed);
            place = std::move(got);
        });
        turn();
    }
    void turn()
    {
        loop_.restart();
        loop_.poll();
    }
    void answer_one()
    {
        behind.answer_one();
        turn();
    }
    void answer_all()
    {
        while (!behind.held.empty()) answer_one();
    }
    verdict const& said(std::size_t index) { return answers.at(index).value().value(); }
    // Lets the front's store, and memory for what is not the fleet's, decide as the gateway does; kept until the end.
    struct admitted {
        claims asked;
        admission_ruling gate;
    };
    admitted& admit(claims const& asked)
    {
        auto& made = admitted_.emplace_back();
        made.asked = asked;
        boost::asio::co_spawn(loop_, limiter::acquire(from, made.asked, base::instant::max(), made.gate),
                              [](std::exception_ptr failed) { CHECK_FALSE(failed); });
        turn();
        return made;
    }
    std::uint64_t on_lease(std::string const& limit)
    {
        auto const found = counts_.find(limit);
        return found == counts_.end() ? 0 : found->second.admissions_on_lease;
    }
    std::uint64_t from_memory(std::string const& limit)
    {
        auto const found = counts_.find(limit);
        return found == counts_.end() ? 0 : found->second.denials_from_memory;
    }

private:
    boost::asio::io_context loop_;
    std::deque<claims> asked_;
    std::deque<admitted> admitted_;
    memory_store memory_{{.max_keys = 1000}};
    fleet_counts counts_;

public:
    stand_in local{memory_};
    held_store behind;
    fleet_front front{loop_, behind, {.k0 = 1, .k1 = 2}, counts_};
    std::deque<std::optional<answer>> answers;
    stores from{memory_, &front, nullptr, &local};
};

inline policy window(std::string const& name, std::int64_t limit) { return policy_of(name, *make_fixed_window(limit, 1h)); }

inline policy sharded(std::string const& name, std::int64_t limit, unsigned shards)
{
    auto made = window(name, limit);
    made.scope = scope::fleet;
    for (unsigned i = 0; i < shards; ++i) made.quota.shards.push_back(*shard_of(made.quota.algorithm, i, shards));
    return made;
}

inline claim in_shard(policy const& limit, unsigned shard)
{
    claim made;
    made.policy = &limit;
    made.numbers = &limit.quota.shards[shard];
    made.shard = static_cast<std::uint8_t>(shard);
    made.key.append("rl:{x#0" + std::to_string(shard) + "}");
    made.identity_end = static_cast<std::uint8_t>(made.key.view().size());
    made.key.append(limit.quota.key_suffix);
    return made;
}

} // namespace penstock::limiter::tests
