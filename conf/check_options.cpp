#include "conf/check.hpp"

#include "conf/read.hpp"
#include "conf/scalar.hpp"

#include <algorithm>

namespace penstock::conf {

namespace {

constexpr std::int64_t least_per_shard = 50; // below it, shards refuse visibly more than one counter would

template <class Algorithm>
bool counts_by(limit_outline const& limit)
{
    return std::holds_alternative<Algorithm>(limit.policy.quota.algorithm);
}

// After how long an exhausted limit has permits again; zero where nobody can say.
struct renewal {
    base::micros operator()(limiter::token_bucket const& of) const { return base::micros{of.interval_us}; }
    base::micros operator()(limiter::periodic_bucket const& of) const { return base::micros{of.period_us}; }
    base::micros operator()(limiter::fixed_window const& of) const { return base::micros{of.window_us}; }
    base::micros operator()(limiter::clock_window const& of) const { return base::micros{of.window_us}; }
    base::micros operator()(limiter::calendar_window const&) const { return std::chrono::hours{24}; }
    base::micros operator()(limiter::sliding_window const& of) const { return base::micros{of.segment_us}; }
    base::micros operator()(limiter::sliding_counter const& of) const { return base::micros{of.window_us / of.limit}; }
    base::micros operator()(limiter::sliding_log const& of) const { return base::micros{of.window_us / of.limit}; }
    base::micros operator()(limiter::concurrency const&) const { return base::micros{0}; }
};

class option_check {
public:
    option_check(checked const& all, limit_outline const& limit, problem_list& problems)
        : limit_(limit), problems_(problems), is_fleet_(scope_of(*limit.source, all.read) == limiter::scope::fleet)
    {}

    void run()
    {
        if (auto const* queue = limit_.source->find("queue"); queue != nullptr && queue->is_map()) check_queue(*queue);
        if (limit_.policy.precision == limiter::precision::leased) check_leased(*limit_.source->find("precision"));
        if (limit_.shards > 1) check_shards(*limit_.source->find("shards"));
    }

private:
    void error(node const& value, std::string const& key, std::string what)
    {
        problems_.error(value.at, limit_.path + '.' + key, std::move(what));
    }
    void warning(node const& value, std::string const& key, std::string what)
    {
        problems_.warning(value.at, limit_.path + '.' + key, std::move(what));
    }

    void check_queue(node const& queue)
    {
        auto const& policy = limit_.policy;
        if (policy.queue.limit > 0 && policy.cost > policy.queue.limit) {
            error(*queue.find("limit"), "queue.limit",
                  "is below the " + std::to_string(policy.cost) +
                      " permits that a request asks for, so none could wait; raise it");
        }
        if (policy.enforce == limiter::enforcement::shadow)
            warning(queue, "queue", "has no effect: a limit in shadow refuses nobody, so nobody waits; remove it");
        if (!limit_.has_algorithm || policy.queue.timeout.count() == 0) return;
        auto const renewed = std::visit(renewal{}, policy.quota.algorithm);
        if (policy.queue.timeout >= renewed) return;
        warning(*queue.find("timeout"), "queue.timeout",
                "is shorter than the " + write_duration(renewed) +
                    " after which this limit has permits again, so most requests are refused without a wait; raise it");
    }

    void check_leased(node const& precision)
    {
        if (limit_.has_algorithm && !counts_by<limiter::token_bucket>(limit_) && !counts_by<limiter::fixed_window>(limit_)) {
            error(precision, "precision",
                  "leased goes with a continuous token_bucket and with a fixed_window that begins at the first request; write "
                  "exact");
        } else if (!is_fleet_) {
            error(precision, "precision", "leased takes permits from Redis in advance and needs scope: fleet; write exact");
        }
    }

    void check_shards(node const& shards)
    {
        for (auto const* other : {"overrides", "from_attribute"}) {
            if (limit_.source->find(other) != nullptr)
                error(shards, "shards",
                      "stands beside " + std::string{other} + "; a sharded limit has the same numbers for all");
        }
        if (limit_.policy.precision == limiter::precision::leased)
            error(shards, "shards", "stands beside precision: leased, which spares Redis more; remove one of them");
        if (!is_fleet_) error(shards, "shards", "spreads a counter over the nodes of Redis and needs scope: fleet; remove it");
        if (limit_.has_algorithm) check_division(shards);
    }

    void check_division(node const& shards)
    {
        auto const& whole = limit_.policy.quota.algorithm;
        if (counts_by<limiter::concurrency>(limit_)) {
            error(shards, "shards", "cannot divide a concurrency limit; remove it");
            return;
        }
        auto const burst = limiter::burst_of(whole);
        if (burst < limit_.shards) {
            error(shards, "shards", "would leave shards without a permit: there are " + std::to_string(burst) + "; lower it");
            return;
        }
        for (unsigned i = 0; i < limit_.shards; ++i) {
            if (limiter::shard_of(whole, i, limit_.shards)) continue;
            error(shards, "shards", "cannot divide this limit exactly; use another number, such as a divisor of its numbers");
            return;
        }
        auto const least = burst / limit_.shards;
        if (limit_.policy.cost > least) {
            error(shards, "shards",
                  "leaves " + std::to_string(least) + " permits to a shard, fewer than a request asks for; lower it");
        } else if (least < least_per_shard) {
            warning(shards, "shards",
                    "leaves " + std::to_string(least) + " permits to a shard; below " + std::to_string(least_per_shard) +
                        ", requests are refused that one counter would let through; " + sized_right(burst));
        }
    }

    static std::string sized_right(std::int64_t burst)
    {
        auto const most = burst / least_per_shard;
        return most < 2 ? "remove it" : "use at most " + std::to_string(most);
    }

    limit_outline const& limit_;
    problem_list& problems_;
    bool is_fleet_;
};

} // namespace

void check_options(checked const& all, problem_list& problems)
{
    for (auto const& limit : all.parts.limits) {
        if (limit.source->is_map()) option_check{all, limit, problems}.run();
    }
}

} // namespace penstock::conf
