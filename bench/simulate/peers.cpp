#include "bench/simulate/peers.hpp"

#include <unordered_map>
#include <utility>

namespace penstock::simulate {
namespace {

constexpr std::int64_t window_us = 1'000'000;

std::int64_t window_at(base::instant now) { return base::since_epoch_us(now) / window_us; }

std::int64_t limit_of_window(limiter::token_bucket const& bucket)
{
    auto const interval = static_cast<double>(bucket.interval_us) +
                          static_cast<double>(bucket.interval_num) / static_cast<double>(bucket.interval_den);
    return static_cast<std::int64_t>(static_cast<double>(window_us) / interval + 0.5);
}

// A bucket in each gateway: the whole one, or an equal part of it.
class alone : public strategy {
public:
    alone(world& in, unsigned parts) : in_(in), parts_(parts), states_(static_cast<std::size_t>(in.wanted().gateways)) {}
    void arrive(int gateway, int key) override
    {
        auto& states = states_[static_cast<std::size_t>(gateway)];
        limiter::algorithm limit = in_.key(key).bucket;
        if (parts_ > 1) {
            auto const part = limiter::shard_of(limit, static_cast<unsigned>(gateway), parts_);
            if (!part) return; // fewer permits than gateways
            limit = *part;
        }
        auto const found = states.find(key);
        auto const look = limiter::advance(limit, found == states.end() ? nullptr : &found->second, 1, in_.now());
        if (!look.decision.allowed) return;
        states[key] = look.next;
        in_.admit(key);
    }

private:
    world& in_;
    unsigned parts_;
    std::vector<std::unordered_map<int, limiter::counter_state>> states_;
};

class exchanging : public strategy {
public:
    exchanging(world& in, base::micros every)
        : in_(in),
          every_(every),
          here_(static_cast<std::size_t>(in.wanted().gateways)),
          fleet_(static_cast<std::size_t>(in.wanted().keys))
    {}
    void arrive(int gateway, int key) override
    {
        auto& mine = here_[static_cast<std::size_t>(gateway)][key];
        if (auto const window = window_at(in_.now()); mine.window != window) {
            mine.window = window;
            mine.fleet = mine.own = 0;
        }
        if (mine.fleet + mine.own < limit_of_window(in_.key(key).bucket)) {
            ++mine.own;
            in_.admit(key);
        }
        if (mine.waits) return;
        mine.waits = true;
        in_.after(every_, [this, gateway, key] { exchange(gateway, key); });
    }

private:
    struct counts {
        std::int64_t window = -1;
        std::int64_t fleet = 0; // by the last exchange
        std::int64_t own = 0;   // since then
        bool waits = false;
    };
    void exchange(int gateway, int key)
    {
        auto& mine = here_[static_cast<std::size_t>(gateway)][key];
        mine.waits = false;
        in_.count_call();
        auto& all = fleet_[static_cast<std::size_t>(key)];
        if (auto const window = window_at(in_.now()); mine.window != window) return;
        if (all.window != mine.window) all = {.window = mine.window};
        mine.fleet = all.fleet += std::exchange(mine.own, 0);
    }

    world& in_;
    base::micros every_;
    std::vector<std::unordered_map<int, counts>> here_;
    std::vector<counts> fleet_;
};

class window_in_the_store : public strategy {
public:
    explicit window_in_the_store(world& in)
        : in_(in), over_(static_cast<std::size_t>(in.wanted().gateways)), counts_(static_cast<std::size_t>(in.wanted().keys))
    {}
    void arrive(int gateway, int key) override
    {
        auto& over = over_[static_cast<std::size_t>(gateway)];
        if (auto const found = over.find(key); found != over.end() && found->second == window_at(in_.now())) return;
        in_.count_call();
        in_.send([this, gateway, key] {
            auto& [window, used] = counts_[static_cast<std::size_t>(key)];
            if (auto const present = window_at(in_.now()); window != present) {
                window = present;
                used = 0;
            }
            if (++used <= limit_of_window(in_.key(key).bucket)) return in_.admit(key);
            in_.send([this, gateway, key, window] { over_[static_cast<std::size_t>(gateway)][key] = window; });
        });
    }

private:
    struct count {
        std::int64_t window = -1;
        std::int64_t used = 0;
    };
    world& in_;
    std::vector<std::unordered_map<int, std::int64_t>> over_; // by key: in which window
    std::vector<count> counts_;
};

} // namespace

std::unique_ptr<strategy> make_counters_of_each_gateway(world& in) { return std::make_unique<alone>(in, 1); }
std::unique_ptr<strategy> make_static_split(world& in)
{
    return std::make_unique<alone>(in, static_cast<unsigned>(in.wanted().gateways));
}
std::unique_ptr<strategy> make_exchange_every_100_ms(world& in)
{
    return std::make_unique<exchanging>(in, base::micros{100'000});
}
std::unique_ptr<strategy> make_exchange_every_second(world& in)
{
    return std::make_unique<exchanging>(in, base::micros{1'000'000});
}
std::unique_ptr<strategy> make_window_in_the_store(world& in) { return std::make_unique<window_in_the_store>(in); }

} // namespace penstock::simulate
