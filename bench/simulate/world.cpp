#include "bench/simulate/world.hpp"

#include <algorithm>
#include <cmath>

namespace penstock::simulate {
namespace {

constexpr double second = 1e6;
constexpr base::micros patience{50'000};
// A violation is compared with the burst only where the burst is more than a few permits.
constexpr std::int64_t telling_burst = 50;

double interval_us(limiter::token_bucket const& bucket)
{
    return static_cast<double>(bucket.interval_us) +
           static_cast<double>(bucket.interval_num) / static_cast<double>(bucket.interval_den);
}

} // namespace

world::world(settings const& wanted) : wanted_(wanted), random_(wanted.seed)
{
    double sum = 0;
    for (int i = 0; i < wanted.keys; ++i) popularity_.push_back(sum += std::pow(i + 1, -wanted.zipf));
    for (auto& one : popularity_) one /= sum;
    double before = 0;
    for (std::size_t i = 0; i < popularity_.size(); ++i) {
        auto const demand = wanted.requests_a_second * (popularity_[i] - before);
        before = popularity_[i];
        auto const rate = std::max(1.0, std::floor(demand * wanted.limit_of_demand[i % wanted.limit_of_demand.size()]));
        auto const burst = std::max(1.0, std::floor(rate * wanted.burst_seconds));
        keys_.push_back(
            {.bucket = *limiter::make_token_bucket(std::llround(burst), std::llround(rate), base::micros{1'000'000}),
             .ideal_state = {}});
    }
}

void world::after(base::micros wait, std::function<void()> what)
{
    events_.push({now_us_ + wait.count(), ++order_, std::move(what)});
}

void world::send(std::function<void()> then, std::function<void()> lost)
{
    if (wanted_.loss > 0 && std::bernoulli_distribution{wanted_.loss}(random_)) {
        if (lost) after(patience, std::move(lost));
        return;
    }
    auto took = std::lognormal_distribution{std::log(wanted_.delay_us), 0.5}(random_);
    if (std::bernoulli_distribution{0.001}(random_)) took += 5'000;
    after(base::micros{std::llround(took)}, std::move(then));
}

void world::admit(int which)
{
    auto& key = keys_[static_cast<std::size_t>(which)];
    ++key.admitted;
    auto const now = static_cast<double>(now_us_);
    auto const interval = interval_us(key.bucket);
    key.shadow_us = std::max(key.shadow_us, now) + interval;
    auto const over = (key.shadow_us - now) / interval - static_cast<double>(key.bucket.capacity);
    // What the sum of so many fractions may be off by.
    if (over > 1e-3) key.worst_over = std::max(key.worst_over, over);
}

void world::next_request(strategy& deciding)
{
    auto const gap = std::exponential_distribution{wanted_.requests_a_second / second}(random_);
    after(base::micros{std::llround(gap)}, [this, &deciding] {
        next_request(deciding);
        auto const quiet = wanted_.on_off && now_us_ / 1'000'000 % 2 == 0;
        if (!quiet || std::bernoulli_distribution{0.05}(random_)) request(deciding);
    });
}

void world::request(strategy& deciding)
{
    auto const at = std::uniform_real_distribution{0.0, 1.0}(random_);
    auto const found = std::lower_bound(popularity_.begin(), popularity_.end() - 1, at) - popularity_.begin();
    auto& key = keys_[static_cast<std::size_t>(found)];
    ++decisions_;
    auto const ideal = limiter::advance(key.bucket, key.ideal > 0 ? &key.ideal_state : nullptr, 1, now());
    if (ideal.decision.allowed) {
        ++key.ideal;
        key.ideal_state = ideal.next;
    }
    deciding.arrive(std::uniform_int_distribution{0, wanted_.gateways - 1}(random_), static_cast<int>(found));
}

world::figures world::run(strategy_maker const& make)
{
    auto const deciding = make(*this);
    next_request(*deciding);
    auto const end_us = std::llround(wanted_.seconds * second);
    while (!events_.empty() && events_.top().at_us <= end_us) {
        now_us_ = events_.top().at_us;
        auto const what = events_.top().what;
        events_.pop();
        what();
    }

    figures result;
    double ideal = 0;
    double over = 0;
    double unused = 0;
    for (auto const& key : keys_) {
        ideal += static_cast<double>(key.ideal);
        auto const difference = static_cast<double>(key.admitted - key.ideal);
        (difference > 0 ? over : unused) += std::abs(difference);
        if (key.bucket.capacity < telling_burst) continue;
        result.worst_interval = std::max(result.worst_interval, key.worst_over / static_cast<double>(key.bucket.capacity));
    }
    result.calls_a_decision = static_cast<double>(calls_) / static_cast<double>(decisions_);
    result.over = over / ideal;
    result.unused = unused / ideal;
    return result;
}

} // namespace penstock::simulate
