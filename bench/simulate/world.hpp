// A fleet of gateways in virtual time: the queue of events, the network, the traffic, and for each key what was admitted beside
// what an ideal limiter without any delay would have admitted. Knows no strategy; those are in strategies.hpp and peers.hpp.
// Seeded: the same figures on every machine.
#pragma once

#include "limiter/algorithm.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <queue>
#include <random>
#include <tuple>
#include <vector>

namespace penstock::simulate {

struct settings {
    int gateways = 20;
    int keys = 1;
    double requests_a_second = 200'000;       // of the fleet
    double zipf = 1.0;                        // popularity of the n-th key: 1 / n^zipf
    std::vector<double> limit_of_demand{0.5}; // by key in turn
    double burst_seconds = 1;
    bool on_off = false; // every other second only a twentieth of the traffic
    double seconds = 10;
    double delay_us = 250; // one way, median of a lognormal with sigma 0.5; one in a thousand takes 5 ms more
    double loss = 0;       // of a message
    std::uint64_t seed = 1;
};

// One key's limit and its count of truth.
struct key_record {
    limiter::token_bucket bucket;
    limiter::counter_state ideal_state;
    double shadow_us = 0;  // arrival time of a bucket that admits everything
    double worst_over = 0; // permits beyond capacity and refill in the worst interval
    std::int64_t ideal = 0;
    std::int64_t admitted = 0;
};

class world;

// How gateways decide: told of each request, answers by world::admit() or not at all.
class strategy {
public:
    strategy() = default;
    strategy(strategy const&) = delete;
    strategy& operator=(strategy const&) = delete;
    virtual ~strategy() = default;
    virtual void arrive(int gateway, int key) = 0;
};
using strategy_maker = std::function<std::unique_ptr<strategy>(world&)>;

class world {
public:
    explicit world(settings const& wanted);

    struct figures {
        double calls_a_decision = 0;
        double over = 0;           // admitted beyond the ideal, of the ideal
        double unused = 0;         // not admitted although the ideal did
        double worst_interval = 0; // permits beyond the limit in the worst interval of any key, of its burst
    };
    figures run(strategy_maker const& make);

    [[nodiscard]] settings const& wanted() const noexcept { return wanted_; }
    [[nodiscard]] key_record const& key(int which) const { return keys_[static_cast<std::size_t>(which)]; }
    [[nodiscard]] base::instant now() const noexcept { return base::at_epoch_us(start_us + now_us_); }
    void admit(int key);
    void after(base::micros wait, std::function<void()> what);
    // A message to or from the store: `then` when it arrives, `lost` (may be empty) when nobody waits for it any longer.
    void send(std::function<void()> then, std::function<void()> lost = {});
    void count_call() noexcept { ++calls_; }

private:
    static constexpr std::int64_t start_us = 1'800'000'000'000'000;
    struct event {
        std::int64_t at_us;
        std::uint64_t order;
        std::function<void()> what;
        friend bool operator<(event const& a, event const& b)
        {
            return std::tie(a.at_us, a.order) > std::tie(b.at_us, b.order);
        }
    };
    void next_request(strategy& deciding);
    void request(strategy& deciding);

    settings wanted_;
    std::mt19937_64 random_;
    std::vector<key_record> keys_;
    std::vector<double> popularity_; // cumulative
    std::priority_queue<event> events_;
    std::int64_t now_us_ = 0;
    std::uint64_t order_ = 0;
    std::int64_t calls_ = 0;
    std::int64_t decisions_ = 0;
};

} // namespace penstock::simulate
