// Every algorithm on every store against every property that all of them promise. Writes what it found as Markdown into the
// folder that it is run in, and compares that with docs/algorithms.md.
#include "tests/contract/algorithm_store.hpp"
#include "tests/contract/random_limits.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

namespace penstock::tests {
namespace {

constexpr base::micros second{1'000'000};
constexpr base::micros tick{1};
constexpr base::micros day = 60 * second; // of the calendar here
constexpr std::int64_t limit = 10;

// In the middle of nothing: no window of any algorithm begins here.
base::instant origin()
{
    auto const hours = base::since_epoch_us(base::clock::now()) / 3'600'000'000;
    return base::at_epoch_us((hours + 3) * 3'600'000'000 + 123'456'789);
}

struct candidate {
    char const* name;
    limiter::algorithm numbers;
};

std::vector<candidate> candidates(limiter::calendar const& days)
{
    auto const window = 10 * second;
    return {{"token_bucket", *limiter::make_token_bucket(limit, limit, window)},
            {"token_bucket, periodic", *limiter::make_periodic_bucket(limit, limit, window)},
            {"fixed_window", *limiter::make_fixed_window(limit, window)},
            {"fixed_window, clock", *limiter::make_clock_window(limit, window)},
            {"fixed_window, calendar", *limiter::make_calendar_window(limit, days)},
            {"sliding_window", *limiter::make_sliding_window(limit, window, 5)},
            {"sliding_window_counter", *limiter::make_sliding_counter(limit, window)},
            {"sliding_log", *limiter::make_sliding_log(limit, window)},
            {"concurrency", *limiter::make_concurrency(limit)}};
}

// One limit and one counter of it.
class subject {
public:
    subject(algorithm_store& store, limiter::algorithm const& numbers) : store_(store)
    {
        static int number = 0;
        policy_.quota.algorithm = numbers;
        claim_.policy = &policy_;
        claim_.key.append("rl:{subject=" + std::to_string(++number) + "}");
    }
    subject(subject const&) = delete;

    limiter::decision ask(std::int64_t cost, base::instant now)
    {
        auto const one = claim(cost);
        return store_.acquire({&one, 1}, now).decisions[0];
    }
    limiter::decision look(base::instant now) { return ask(0, now); }
    void exhaust(base::instant now)
    {
        for (std::int64_t i = 0; i < limiter::burst_of(policy_.quota.algorithm); ++i) ask(1, now);
    }
    [[nodiscard]] limiter::claim claim(std::int64_t cost) const
    {
        auto one = claim_;
        one.cost = cost;
        return one;
    }
    void give_back(limiter::charge const& taken, base::instant now) { store_.give_back(claim_, taken, now); }
    void change(limiter::algorithm const& to) { policy_.quota.algorithm = to; }
    void put_in_shadow() { policy_.enforce = limiter::enforcement::shadow; }
    [[nodiscard]] bool is_concurrency() const { return std::holds_alternative<limiter::concurrency>(policy_.quota.algorithm); }

    // Refused a microsecond before the wait that is told, and not at its end; a wait of a limit that knows it.
    bool waits_exactly(base::instant now)
    {
        auto const refused = ask(1, now);
        if (refused.allowed || refused.retry_after <= base::micros{0} || refused.retry_after > 3'600 * second) return false;
        return !ask(1, now + refused.retry_after - tick).allowed && ask(1, now + refused.retry_after).allowed;
    }

private:
    algorithm_store& store_;
    limiter::policy policy_;
    limiter::claim claim_;
};

enum class outcome : std::uint8_t { holds, fails, not_applicable };

outcome outcome_of(bool holds) { return holds ? outcome::holds : outcome::fails; }

// ---- the properties

outcome exact_retry(algorithm_store& store, limiter::algorithm const& numbers)
{
    subject one(store, numbers);
    one.exhaust(origin());
    if (!one.is_concurrency()) return outcome_of(one.waits_exactly(origin() + tick));
    return one.ask(1, origin()).retry_after == limiter::permit_retry ? outcome::not_applicable : outcome::fails;
}

struct admitted {
    base::instant at;
    std::int64_t cost;
};

// The most that may have been admitted in [from, to], by what the limit says and nothing of how it is counted.
std::int64_t most_in(limiter::algorithm const& numbers, base::instant from, base::instant to)
{
    auto const passed = (to - from).count();
    auto const first = base::since_epoch_us(from);
    auto const last = base::since_epoch_us(to);
    auto const whole_windows = [&](std::int64_t window) { return last / window - first / window + 1; };
    if (auto const* of = std::get_if<limiter::token_bucket>(&numbers)) return of->capacity + passed / of->interval_us;
    if (auto const* of = std::get_if<limiter::periodic_bucket>(&numbers))
        return of->capacity + (passed / of->period_us + 1) * of->refill;
    if (auto const* of = std::get_if<limiter::fixed_window>(&numbers)) return (passed / of->window_us + 2) * of->limit;
    if (auto const* of = std::get_if<limiter::clock_window>(&numbers)) return whole_windows(of->window_us) * of->limit;
    if (auto const* of = std::get_if<limiter::calendar_window>(&numbers)) return whole_windows(day.count()) * of->limit;
    if (auto const* of = std::get_if<limiter::sliding_window>(&numbers))
        return (whole_windows(of->segment_us) + of->segments - 1) / of->segments * of->limit;
    if (auto const* of = std::get_if<limiter::sliding_counter>(&numbers)) return whole_windows(of->window_us) * of->limit;
    return (passed / std::get_if<limiter::sliding_log>(&numbers)->window_us + 1) * limit;
}

outcome never_over(algorithm_store& store, limiter::algorithm const& numbers)
{
    subject one(store, numbers);
    random_source random(7);
    auto now = origin();
    if (one.is_concurrency()) {
        std::vector<limiter::charge> held;
        for (int i = 0; i < 400; ++i) {
            now += base::micros{pick(random, 1, 100'000)};
            auto const cost = pick(random, 1, 3);
            if (one.ask(cost, now).allowed) held.push_back({cost, now, {}});
            std::int64_t sum = 0;
            for (auto const& each : held) sum += each.cost;
            if (sum > limit) return outcome::fails;
            if (held.empty() || pick(random, 0, 2) != 0) continue;
            one.give_back(held.back(), now);
            held.pop_back();
        }
        return outcome::holds;
    }
    std::vector<admitted> all;
    for (int i = 0; i < 1500; ++i) {
        now += base::micros{pick(random, {1, 1'000, 100'000, 1'000'000, 9'999'999})};
        auto const cost = pick(random, 1, 3);
        if (one.ask(cost, now).allowed) all.push_back({now, cost});
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
        std::int64_t sum = 0;
        for (std::size_t k = i; k < all.size(); ++k) {
            sum += all[k].cost;
            if (sum > most_in(numbers, all[i].at, all[k].at)) return outcome::fails;
        }
    }
    return outcome_of(all.size() > 50);
}

outcome all_or_nothing(algorithm_store& store, limiter::algorithm const& numbers)
{
    subject one(store, numbers);
    subject full(store, *limiter::make_token_bucket(1, 1, 3600 * second));
    full.exhaust(origin());
    one.ask(3, origin());
    auto const before = one.look(origin());
    for (auto const& asked : {std::array{one.claim(1), full.claim(1)}, std::array{full.claim(1), one.claim(1)}}) {
        if (store.acquire(asked, origin()).allowed) return outcome::fails;
    }
    return outcome_of(one.look(origin()) == before);
}

outcome refused_writes_nothing(algorithm_store& store, limiter::algorithm const& numbers)
{
    subject one(store, numbers);
    subject untouched(store, numbers);
    subject other(store, *limiter::make_token_bucket(5, 5, second));
    one.exhaust(origin());
    auto const state = one.look(origin());
    auto const before = store.written();
    for (int i = 0; i < 10; ++i) {
        auto const asked = std::array{other.claim(1), one.claim(1), untouched.claim(1)};
        if (one.ask(1, origin()).allowed || store.acquire(asked, origin()).allowed) return outcome::fails;
    }
    return outcome_of(store.written() == before && one.look(origin()) == state);
}

outcome cost(algorithm_store& store, limiter::algorithm const& numbers)
{
    subject one(store, numbers);
    auto const charged = one.ask(3, origin());
    auto const looked = one.ask(0, origin());
    auto const too_much = one.ask(8, origin());
    return outcome_of(charged.allowed && charged.remaining == 7 && looked.allowed && looked.remaining == 7 &&
                      !too_much.allowed && too_much.remaining == 7 && one.ask(7, origin()).remaining == 0);
}

outcome cost_above_limit(algorithm_store& store, limiter::algorithm const& numbers)
{
    subject one(store, numbers);
    auto const never = one.ask(limit + 1, origin());
    return outcome_of(!never.allowed && never.retry_after == limiter::never && one.look(origin()).remaining == limit);
}

outcome backward_clock(algorithm_store& store, limiter::algorithm const& numbers)
{
    subject one(store, numbers);
    one.exhaust(origin());
    auto const back = origin() - 3'000 * second;
    if (one.look(back).remaining != 0) return outcome::fails;
    return outcome_of(one.is_concurrency() || one.waits_exactly(back));
}

outcome raised(algorithm_store& store, limiter::algorithm const& numbers)
{
    subject one(store, numbers);
    one.exhaust(origin());
    auto const before = one.ask(1, origin()).retry_after;
    one.change(*limiter::with_limit(numbers, 2 * limit));
    auto const after = one.look(origin());
    // A bucket's backlog is time, which it keeps; what refills then is more.
    if (after.remaining > limit) return outcome::fails;
    return outcome_of(after.remaining == limit || one.ask(1, origin()).retry_after <= before);
}

outcome lowered(algorithm_store& store, limiter::algorithm const& numbers)
{
    subject one(store, numbers);
    one.exhaust(origin());
    one.change(*limiter::with_limit(numbers, limit / 2));
    if (one.look(origin()).remaining != 0) return outcome::fails;
    return outcome_of(one.is_concurrency() || one.waits_exactly(origin() + tick));
}

outcome refund(algorithm_store& store, limiter::algorithm const& numbers)
{
    subject one(store, numbers);
    one.ask(2, origin());
    auto const before = one.look(origin() + tick);
    auto const charged = one.ask(3, origin() + tick);
    one.give_back({3, origin() + tick, charged.reset_after}, origin() + tick);
    return outcome_of(one.look(origin() + tick) == before);
}

outcome expiry(algorithm_store& store, limiter::algorithm const& numbers)
{
    subject one(store, numbers);
    auto const charged = one.ask(2, origin());
    if (!one.is_concurrency()) return outcome_of(store.expires(one.claim(1), origin() + charged.reset_after, origin()));
    // Permits lapse with their holder, which in memory is the process itself.
    if (std::string_view(store.name()) == "memory") return outcome::not_applicable;
    return outcome_of(store.expires(one.claim(1), origin() + limiter::redis::permit_lapse, origin()));
}

outcome shadow(algorithm_store& store, limiter::algorithm const& numbers)
{
    subject one(store, numbers);
    one.put_in_shadow();
    one.exhaust(origin());
    subject other(store, *limiter::make_token_bucket(5, 5, second));
    auto const asked = std::array{one.claim(1), other.claim(1)};
    auto const verdict = store.acquire(asked, origin());
    return outcome_of(verdict.allowed && !verdict.decisions[0].allowed && verdict.decisions[1].remaining == 4);
}

struct property {
    char const* name;
    outcome (*holds)(algorithm_store&, limiter::algorithm const&);
};

constexpr property properties[] = {
    {"exact retry", exact_retry},
    {"never over", never_over},
    {"all or nothing", all_or_nothing},
    {"refused writes nothing", refused_writes_nothing},
    {"cost", cost},
    {"cost above limit", cost_above_limit},
    {"backward clock", backward_clock},
    {"raise", raised},
    {"lower", lowered},
    {"refund", refund},
    {"expiry", expiry},
    {"shadow", shadow},
};

// ---- bytes

// What many write first: floating point in a hash.
constexpr char const* naive = "redis.call('HSET', KEYS[1], 'level', tostring(99.5), 'at', tostring(1795203900.1234))";

std::string bytes_in_redis(redis_server const& server, std::string const& key)
{
    return server.command({"MEMORY", "USAGE", key});
}

std::string table_of_bytes(limiter::calendar const& days)
{
    in_redis store;
    std::ostringstream out;
    out << "| Algorithm | bytes after one permit | after 100 |\n| --- | ---: | ---: |\n";
    store.server().command({"EVAL", naive, "1", "rl:{subject=naive}"});
    auto const naive_bytes = bytes_in_redis(store.server(), "rl:{subject=naive}");
    out << "| a hash with level and time | " << naive_bytes << " | " << naive_bytes << " |\n";
    int number = 0;
    for (auto const& [name, numbers] : candidates(days)) {
        limiter::policy policy;
        policy.quota.algorithm = *limiter::with_limit(numbers, 100);
        limiter::claim claim;
        claim.policy = &policy;
        claim.key.append("rl:{subject=" + std::string(5, static_cast<char>('a' + number++)) + "}");
        out << "| " << name << " |";
        for (int i = 1; i <= 100; ++i) {
            auto const verdict = store.acquire({&claim, 1}, origin() + i * 10 * tick);
            REQUIRE(verdict.allowed);
            if (i == 1 || i == 100) out << ' ' << bytes_in_redis(store.server(), std::string(claim.key.view())) << " |";
        }
        out << '\n';
    }
    return out.str();
}

std::string table_of_properties(limiter::calendar const& days)
{
    static constexpr char const* words[] = {"yes", "NO", "–"};
    std::ostringstream out;
    out << "| Algorithm | Store |";
    for (auto const& property : properties) out << ' ' << property.name << " |";
    out << "\n| --- | --- |";
    for ([[maybe_unused]] auto const& property : properties) out << " --- |";
    out << '\n';
    in_redis redis;
    for (auto const& [name, numbers] : candidates(days))
        for (std::string const store : {"memory", "Redis"}) {
            out << "| " << name << " | " << store << " |";
            for (auto const& property : properties) {
                in_memory memory;
                auto const found = property.holds(store == "memory" ? static_cast<algorithm_store&>(memory) : redis, numbers);
                CHECK_MESSAGE(found != outcome::fails, std::string(name)
                                                           << ", " << store << ": " << std::string(property.name));
                out << ' ' << words[static_cast<int>(found)] << " |";
            }
            out << '\n';
        }
    return out.str();
}

} // namespace

TEST_CASE("every algorithm has every property on every store, and docs/algorithms.md says so")
{
    auto const days = short_days(origin() - origin().time_since_epoch() % day, day);
    auto const found = table_of_properties(days) + "\n" + table_of_bytes(days);
    std::ofstream("algorithms.md") << found;

    std::ifstream file(PENSTOCK_SOURCE_DIR "/docs/algorithms.md");
    std::stringstream text;
    text << file.rdbuf();
    CHECK_MESSAGE(text.str().find(found) != std::string::npos, "docs/algorithms.md does not hold:\n" << found);
}

} // namespace penstock::tests
