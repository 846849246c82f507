// Time of one decision of memory_store, hashing included, among many live counters met in random order; and the memory
// that a counter takes. Usage: decision_bench [COUNTERS]
#include "limiter/memory_store.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <random>
#include <string>
#include <vector>

namespace {

using namespace penstock;

// Requests are named in batches outside the measured time: in the gateway a key has just been built and is in the cache.
constexpr std::size_t batch = 256;
constexpr std::size_t measured_batches = 20'000;
// Room for every counter, the longest log included: nothing is dropped while the clock runs.
constexpr std::size_t weight_of_a_counter = 64;

limiter::policy policy_of(std::string const& name, limiter::algorithm const& how)
{
    limiter::policy result;
    result.name = name;
    result.quota.algorithm = how;
    result.quota.key_suffix = ":" + name + ":" + limiter::tag_of(how);
    return result;
}

void name_counter(limiter::claim& claim, limiter::policy const& policy, std::size_t number)
{
    claim.policy = &policy;
    claim.key.clear();
    claim.key.append("rl:{ip=10.");
    claim.key.append(std::to_string(number >> 16) + "." + std::to_string(number >> 8 & 255) + "." +
                     std::to_string(number & 255));
    claim.key.append("}");
    claim.key.append(policy.quota.key_suffix);
}

// Nanoseconds for one of a batch: the median, for other programs take the processor away now and then.
double median_of(std::vector<std::chrono::nanoseconds>& batches)
{
    auto const middle = batches.begin() + static_cast<std::ptrdiff_t>(batches.size() / 2);
    std::nth_element(batches.begin(), middle, batches.end());
    return static_cast<double>(middle->count()) / static_cast<double>(batch);
}

class decision_bench {
public:
    decision_bench(std::size_t callers, std::span<limiter::policy const> policies)
        : callers_(callers), policies_(policies), store_({.max_keys = weight_of_a_counter * callers * policies.size()})
    {
        for (std::size_t i = 0; i < callers_; ++i) ask(i);
    }

    // Nanoseconds per request.
    double measure()
    {
        std::uniform_int_distribution<std::size_t> any{0, callers_ - 1};
        std::vector<std::chrono::nanoseconds> times;
        for (std::size_t b = 0; b < measured_batches; ++b) {
            for (auto& claims : request_) name(claims, any(random_));
            auto const before = std::chrono::steady_clock::now();
            for (auto const& claims : request_) allowed_ += store_.acquire(claims, now_).allowed ? 1U : 0U;
            times.push_back(std::chrono::steady_clock::now() - before);
            now_ += base::micros{batch};
        }
        return median_of(times);
    }

    [[nodiscard]] limiter::memory_store::counts count() const { return store_.count(); }

private:
    void ask(std::size_t caller)
    {
        name(request_.front(), caller);
        store_.acquire(request_.front(), now_);
    }

    void name(limiter::claims& claims, std::size_t caller)
    {
        claims.resize(policies_.size());
        for (std::size_t i = 0; i < policies_.size(); ++i) name_counter(claims[i], policies_[i], caller);
    }

    std::size_t callers_;
    std::span<limiter::policy const> policies_;
    limiter::memory_store store_;
    base::instant now_ = base::at_epoch_us(1'700'000'000'000'000);
    std::mt19937_64 random_{1};
    std::vector<limiter::claims> request_{batch};
    std::size_t allowed_ = 0; // read by nobody; keeps the answers from being optimised away
};

// What the machine itself takes for a read at random in as much memory, in small pages, each read waiting for the one before:
// no decision among so many counters can be quicker than about that.
double bare_read(std::size_t bytes)
{
    std::vector<std::uint32_t> next(bytes / sizeof(std::uint32_t));
    std::iota(next.begin(), next.end(), 0U);
    std::mt19937_64 random{1};
    for (auto i = next.size() - 1; i > 0; --i) // one cycle through all (Sattolo)
        std::swap(next[i], next[std::uniform_int_distribution<std::size_t>{0, i - 1}(random)]);
    std::vector<std::chrono::nanoseconds> times;
    std::uint32_t at = 0;
    for (std::size_t b = 0; b < measured_batches; ++b) {
        auto const before = std::chrono::steady_clock::now();
        for (std::size_t i = 0; i < batch; ++i) at = next[at];
        times.push_back(std::chrono::steady_clock::now() - before);
    }
    if (at >= next.size()) std::abort(); // never; but without a use the reads would be optimised away
    return median_of(times);
}

void report(char const* what, std::size_t counters, std::span<limiter::policy const> policies)
{
    decision_bench bench{counters / policies.size(), policies};
    auto const ns = bench.measure();
    auto const held = bench.count();
    std::printf("%-34s %9llu counters %6.1f ns per request %5.1f bytes per counter\n", what,
                static_cast<unsigned long long>(held.keys), ns,
                static_cast<double>(held.bytes) / static_cast<double>(held.keys));
}

limiter::calendar days()
{
    limiter::calendar result;
    constexpr std::int64_t day_us = 86'400'000'000;
    for (std::int64_t day = 19'000; day < 48'000; ++day) result.starts.push_back(day * day_us);
    return result;
}

} // namespace

int main(int argc, char** argv)
{
    std::size_t const counters = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
    using base::micros;
    constexpr micros hour{3'600'000'000};
    auto const calendar = days();
    struct row {
        char const* what;
        std::vector<limiter::policy> policies;
    };
    auto const whole = policy_of("per-address", *limiter::make_token_bucket(1'000'000, 1'000'000, hour));
    auto const window = policy_of("per-hour", *limiter::make_fixed_window(999'999, hour));
    auto const one = [](limiter::algorithm const& how) { return std::vector{policy_of("per-address", how)}; };
    std::array const rows{
        row{"one token bucket", {whole}},
        row{"one token bucket, rational", one(*limiter::make_token_bucket(1'000'000, 700'000, hour + micros{1}))},
        row{"one periodic bucket", one(*limiter::make_periodic_bucket(999'999, 9'999, hour))},
        row{"one fixed window", {window}},
        row{"one clock window", one(*limiter::make_clock_window(999'999, hour))},
        row{"one calendar window", one(*limiter::make_calendar_window(999'999, calendar))},
        row{"one sliding window, 6 segments", one(*limiter::make_sliding_window(999'999, hour, 6))},
        row{"one sliding counter", one(*limiter::make_sliding_counter(999'999, hour))},
        row{"one sliding log of 5", one(*limiter::make_sliding_log(5, hour))},
        row{"one sliding log of 100", one(*limiter::make_sliding_log(100, hour))},
        row{"one concurrency limit", one(*limiter::make_concurrency(999'999))},
        row{"two limits", {whole, window}},
    };
    for (auto const& each : rows) report(each.what, counters, each.policies);
    std::printf("%-34s %9zu megabytes %6.1f ns per read\n", "bare random read", counters * 40 / 1'000'000,
                bare_read(counters * 40));
    return 0;
}
