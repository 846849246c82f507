// A fleet in virtual time: holders with a lease_account each, one store that lends by limiter/lease_ledger, and a network that
// delays and loses calls and answers. Watches every interval by a shadow bucket that may go below empty. `Clamps`: which
// clamps the store makes. For tests of leases.
#pragma once

#include "limiter/lease_account.hpp"
#include "limiter/lease_clamps.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <optional>
#include <queue>
#include <random>
#include <tuple>
#include <vector>

namespace penstock::tests {

// How far what was admitted in the worst interval exceeds capacity and refill: a bucket that admits everything, in which the
// arrival time runs ahead of what a full one allows.
class shadow_bucket {
public:
    shadow_bucket(limiter::token_bucket const& bucket, std::int64_t from_us) : bucket_(bucket), origin_(from_us) {}
    void admit(std::int64_t at_us, std::int64_t permits)
    {
        auto const interval = wide{bucket_.interval_us} * bucket_.interval_den + bucket_.interval_num;
        auto const at = wide{at_us - origin_} * bucket_.interval_den;
        arrival_ = std::max(arrival_, at) + permits * interval;
        auto const over = arrival_ - at - bucket_.capacity * interval;
        worst_ = std::max(worst_, static_cast<double>(over) / static_cast<double>(interval));
    }
    [[nodiscard]] double worst() const noexcept { return worst_; } // permits; not above 0: within the limit

private:
    __extension__ using wide = __int128;
    limiter::token_bucket bucket_;
    std::int64_t origin_;
    wide arrival_ = 0;
    double worst_ = -1e300;
};

struct fleet_settings {
    limiter::algorithm limit;
    int holders = 3;
    std::int64_t least_delay_us = 100; // one way
    std::int64_t most_delay_us = 400;
    double loss = 0; // of a call, and of an answer
    double late = 0; // of an answer: it comes after its loss was declared
    bool clocks_differ = false;
    double requests_a_second = 1000; // of each holder while it has traffic
    double change_mind = 0;          // of a request: what it spent is taken back
    std::uint64_t seed = 1;
};

template <class Clamps = limiter::every_clamp>
class lease_fleet {
public:
    explicit lease_fleet(fleet_settings const& wanted) : wanted_(wanted), random_(wanted.seed), shadow_(bucket(), start_us)
    {
        policy_.quota.algorithm = wanted.limit;
        policy_.precision = limiter::precision::leased;
        for (int i = 0; i < wanted.holders; ++i) {
            auto& one = holders_.emplace_back();
            if (wanted.clocks_differ) {
                one.offset_us = pick(-10'000'000, 10'000'000);
                one.rate = 1 + static_cast<double>(pick(-900, 900)) * 1e-6;
            }
            revive(i);
            arrive_later(i);
            sweep_later(i);
        }
    }

    void run_until(std::int64_t after_us)
    {
        while (!events_.empty() && events_.top().at_us <= start_us + after_us) {
            now_us_ = events_.top().at_us;
            auto const what = events_.top().what;
            events_.pop();
            what();
        }
        now_us_ = start_us + after_us;
    }
    // What it held is lost with it; another begins in its place.
    void crash(int which) { revive(which); }
    void set_traffic(int which, double of_normal) { holders_[at(which)].traffic = of_normal; }
    // So many requests at one instant.
    void burst(int which, std::int64_t requests)
    {
        for (std::int64_t i = 0; i < requests; ++i) arrive(which);
    }
    // Every holder knows the new numbers from now on. What is admitted is watched by them once no call by the old ones is under
    // way any more.
    void change_limit(limiter::algorithm const& limit)
    {
        settled_ = std::max(settled_, worst());
        for (int i = 0; i < wanted_.holders; ++i) {
            std::vector<limiter::lease_request> to_send;
            holders_[at(i)].account->start_anew(clock_of(i), to_send);
            for (auto const& request : to_send) send(i, request);
        }
        wanted_.limit = limit;
        policy_.quota.algorithm = limit;
        watched_from_us_ = now_us_ + wanted_.most_delay_us;
        shadow_ = shadow_bucket(bucket(), watched_from_us_);
    }

    [[nodiscard]] limiter::algorithm const& limit() const noexcept { return wanted_.limit; }
    [[nodiscard]] double worst() const { return std::max(settled_, shadow_.worst()); }
    [[nodiscard]] std::int64_t requests() const noexcept { return requests_; }
    [[nodiscard]] std::int64_t admitted() const noexcept { return admitted_; }
    [[nodiscard]] std::int64_t calls() const noexcept { return calls_; }
    [[nodiscard]] std::int64_t admitted_by(int which) const { return holders_[static_cast<std::size_t>(which)].admitted; }
    [[nodiscard]] limiter::lease_account::counts counts_of(int which) const
    {
        return holders_[static_cast<std::size_t>(which)].account->count();
    }

private:
    static constexpr std::int64_t start_us = 1'800'000'000'000'000;
    static constexpr std::int64_t patience_us = 20'000; // until an answer counts as lost

    struct holder {
        std::unique_ptr<limiter::lease_account> account;
        std::uint64_t life = 0; // answers to an earlier one reach nobody
        double traffic = 1;
        double rate = 1;
        std::int64_t offset_us = 0;
        std::int64_t admitted = 0;
    };
    struct event {
        std::int64_t at_us;
        std::uint64_t order;
        std::function<void()> what;
        friend bool operator<(event const& a, event const& b)
        {
            return std::tie(a.at_us, a.order) > std::tie(b.at_us, b.order);
        }
    };

    [[nodiscard]] static std::size_t at(int which) { return static_cast<std::size_t>(which); }
    [[nodiscard]] limiter::token_bucket const& bucket() const { return std::get<limiter::token_bucket>(wanted_.limit); }
    std::int64_t pick(std::int64_t least, std::int64_t most) { return std::uniform_int_distribution{least, most}(random_); }
    bool happens(double probability) { return probability > 0 && std::bernoulli_distribution{probability}(random_); }
    std::int64_t delay() { return pick(wanted_.least_delay_us, wanted_.most_delay_us); }
    void after(std::int64_t us, std::function<void()> what) { events_.push({now_us_ + us, ++order_, std::move(what)}); }
    [[nodiscard]] base::instant store_clock() const { return base::at_epoch_us(now_us_); }
    [[nodiscard]] base::instant clock_of(int which) const
    {
        auto const& one = holders_[static_cast<std::size_t>(which)];
        auto const passed = static_cast<double>(now_us_ - start_us) * one.rate;
        return base::at_epoch_us(start_us + one.offset_us + std::llround(passed));
    }
    [[nodiscard]] limiter::claim claim_now() const
    {
        limiter::claim asked;
        asked.policy = &policy_;
        asked.key.append("{k}:tb");
        return asked;
    }

    void revive(int which)
    {
        auto& one = holders_[at(which)];
        ++one.life;
        one.account = std::make_unique<limiter::lease_account>(64, base::hash_key{random_(), random_()});
    }
    void arrive_later(int which)
    {
        auto const mean_us = 1e6 / wanted_.requests_a_second;
        auto const gap = std::exponential_distribution{1 / mean_us}(random_);
        after(std::llround(gap), [this, which] {
            arrive_later(which);
            if (happens(1 - holders_[at(which)].traffic)) return;
            arrive(which);
        });
    }
    void sweep_later(int which)
    {
        after(limiter::lease_account::sweep_interval.count(), [this, which] {
            sweep_later(which);
            std::vector<limiter::lease_request> to_send;
            holders_[at(which)].account->sweep(clock_of(which), to_send);
            for (auto const& request : to_send) send(which, request);
        });
    }
    void admit(int which)
    {
        ++admitted_;
        ++holders_[at(which)].admitted;
        if (now_us_ > watched_from_us_) shadow_.admit(now_us_, 1);
    }
    void arrive(int which)
    {
        ++requests_;
        auto const asked = claim_now();
        auto& account = *holders_[at(which)].account;
        auto const ruling = account.spend(asked, clock_of(which));
        if (ruling.renew) send(which, account.renew(asked, clock_of(which)));
        if (ruling.way == limiter::lease_way::ask) return ask(which, asked);
        if (ruling.way != limiter::lease_way::spent) return;
        if (!happens(wanted_.change_mind)) return admit(which);
        after(pick(0, 5'000), [this, which, asked, life = holders_[at(which)].life, until = ruling.decision.lease_until] {
            if (holders_[at(which)].life != life || clock_of(which) >= until) return;
            holders_[at(which)].account->unspend(asked, clock_of(which));
        });
    }
    void ask(int which, limiter::claim const& asked)
    {
        ++calls_;
        after(delay(), [this, which, asked, life = holders_[at(which)].life, limit = wanted_.limit] {
            limiter::lending_bucket<Clamps> bucket{limit, state_ ? &*state_ : nullptr, store_clock()};
            auto const look = bucket.look(1);
            if (look.decision.allowed || bucket.needs_repair()) {
                state_ = bucket.is();
                state_->counter = look.decision.allowed ? look.next : look.repaired;
            }
            if (look.decision.allowed) return admit(which);
            after(delay(), [this, which, asked, life, said = look.decision] {
                auto& one = holders_[at(which)];
                if (one.life == life) one.account->refused_by_store(asked, said, clock_of(which));
            });
        });
    }
    void send(int which, limiter::lease_request const& request)
    {
        ++calls_;
        auto const sent_at = clock_of(which);
        auto const life = holders_[at(which)].life;
        auto const call_lost = happens(wanted_.loss);
        auto const answer_lost = call_lost || happens(wanted_.loss);
        auto const late = happens(wanted_.late);
        if (answer_lost || late)
            after(patience_us, [this, which, request, life] {
                if (holders_[at(which)].life == life) holders_[at(which)].account->lost(request, clock_of(which));
            });
        if (call_lost) return;
        after(delay(), [this, which, request, sent_at, life, answer_lost, late] {
            auto const result = limiter::lend_from_bucket<Clamps>(request, state_ ? &*state_ : nullptr, store_clock());
            if (result.changed) state_ = result.next;
            if (answer_lost) return;
            after(delay() + (late ? patience_us : 0), [this, which, request, sent_at, life, got = result.answer] {
                auto& one = holders_[at(which)];
                if (one.life == life) one.account->answered(request, sent_at, got, clock_of(which));
            });
        });
    }

    fleet_settings wanted_;
    std::mt19937_64 random_;
    limiter::policy policy_;
    std::vector<holder> holders_;
    std::priority_queue<event> events_;
    std::optional<limiter::lending_counter> state_;
    shadow_bucket shadow_;
    double settled_ = -1e300;
    std::int64_t now_us_ = start_us;
    std::int64_t watched_from_us_ = 0;
    std::uint64_t order_ = 0;
    std::int64_t requests_ = 0;
    std::int64_t admitted_ = 0;
    std::int64_t calls_ = 0;
};

} // namespace penstock::tests
