// No interval ever sees more than the capacity and what refilled in it: leases under crashes, losses, late answers, clocks that
// differ and changed limits. And that each clamp of the store is needed: without it the same schedules go beyond the limit.
#include "tests/unit/limiter/lease_fleet.hpp"

#include <doctest/doctest.h>

#include <iterator>

namespace penstock::tests {
namespace {

limiter::token_bucket random_bucket(std::mt19937_64& random)
{
    static constexpr std::int64_t bursts[] = {20, 50, 100, 300, 1000};
    static constexpr std::int64_t refills[] = {10, 97, 100, 333, 1000, 3000};
    static constexpr std::int64_t periods[] = {100'000, 700'000, 1'000'000};
    auto const one_of = [&random](auto const& list) {
        return list[std::uniform_int_distribution<std::size_t>{0, std::size(list) - 1}(random)];
    };
    for (;;) {
        auto const made = limiter::make_token_bucket(one_of(bursts), one_of(refills), base::micros{one_of(periods)});
        if (made && limiter::lease_terms_of(*made)) return *made;
    }
}

double permits_a_second(limiter::token_bucket const& bucket)
{
    return 1e6 / (static_cast<double>(bucket.interval_us) +
                  static_cast<double>(bucket.interval_num) / static_cast<double>(bucket.interval_den));
}

// One random fleet over random traffic; what it admitted beyond the limit in the worst interval, in permits.
template <class Clamps>
double worst_of(std::uint64_t seed)
{
    std::mt19937_64 random(seed);
    auto const pick = [&random](int least, int most) { return std::uniform_int_distribution{least, most}(random); };
    auto const bucket = random_bucket(random);
    fleet_settings wanted;
    wanted.limit = bucket;
    wanted.holders = pick(1, 5);
    wanted.most_delay_us = pick(0, 3) == 0 ? 20'000 : 800;
    wanted.loss = pick(0, 2) == 0 ? 0.1 : 0;
    wanted.late = pick(0, 2) == 0 ? 0.1 : 0;
    wanted.change_mind = pick(0, 2) == 0 ? 0.1 : 0;
    wanted.clocks_differ = true;
    wanted.requests_a_second = std::min(permits_a_second(bucket) * pick(1, 40) / 4 + 20, 20'000.0);
    wanted.seed = seed;

    lease_fleet<Clamps> fleet(wanted);
    std::int64_t at_us = 0;
    for (int step = 0; step < 60; ++step) {
        auto const epoch_us = static_cast<int>(limiter::lease_terms_of(fleet.limit())->epoch.count());
        at_us += pick(0, pick(0, 3) == 0 ? 8 * epoch_us : 2 * epoch_us);
        fleet.run_until(at_us);
        auto const which = pick(0, wanted.holders - 1);
        switch (pick(0, 19)) {
        case 0: fleet.crash(which); break;
        case 1: fleet.change_limit(random_bucket(random)); break;
        case 2:
        case 3: fleet.set_traffic(which, 0.2); break;
        case 4:
        case 5:
        case 6: fleet.set_traffic(which, 0); break;
        case 7:
        case 8:
        case 9:
        case 10:
        case 11: fleet.burst(which, limiter::burst_of(fleet.limit())); break;
        default: fleet.set_traffic(which, 1);
        }
    }
    return fleet.worst();
}

// The store alone, with holders that do whatever is allowed to them, at the worst moments: they spend until the instant at which
// permits lapse, ask right after it, report or forget.
template <class Clamps>
double worst_of_any_holders(std::uint64_t seed)
{
    std::mt19937_64 random(seed);
    auto const pick = [&random](std::int64_t least, std::int64_t most) {
        return std::uniform_int_distribution{least, most}(random);
    };
    struct permits {
        limiter::lease_report report; // `returned`: still to be spent
    };
    auto const bucket = random_bucket(random);
    auto const epoch = limiter::lease_terms_of(bucket)->epoch.count();
    std::int64_t now_us = 1'800'000'000'000'000 + pick(0, 1'000'000'000);
    shadow_bucket shadow(bucket, now_us);
    limiter::lending_counter state;
    std::vector<std::vector<permits>> holders(static_cast<std::size_t>(pick(1, 4)));
    for (int step = 0; step < 800; ++step) {
        auto const lapse = state.first.out > 0 && state.first.lapses_at_us > now_us ? state.first.lapses_at_us : now_us + epoch;
        switch (pick(0, 9)) {
        case 0: now_us += pick(0, 20 * epoch); break;
        case 1:
        case 2:
        case 3: now_us = lapse - 1; break;
        case 4:
        case 5: now_us = lapse; break;
        default: now_us += pick(0, epoch / 4);
        }
        auto const now = base::at_epoch_us(now_us);
        auto& holder = holders[static_cast<std::size_t>(pick(0, static_cast<std::int64_t>(holders.size()) - 1))];
        std::erase_if(holder, [now_us](permits const& one) { return one.report.lapses_at_us <= now_us; });
        if (pick(0, 2) == 0)
            for (auto& [report] : holder) {
                auto const spent = pick(0, 1) == 0 ? report.returned : pick(0, report.returned);
                report.returned -= spent;
                report.spent += spent;
                shadow.admit(now_us, spent);
            }
        if (pick(0, 40) == 0) holder.clear(); // a crash
        if (pick(0, 4) == 0) {
            limiter::lending_bucket<Clamps> charged{bucket, &state, now};
            auto const cost = pick(0, 1) == 0 ? std::max<std::int64_t>(charged.look(0).idle.remaining, 1) : 1;
            if (!charged.look(cost).decision.allowed) continue;
            state = charged.is();
            state.counter = charged.look(cost).next;
            shadow.admit(now_us, cost);
        } else if (pick(0, 1) == 0) {
            limiter::lease_request asked{
                .key = {}, .algorithm = bucket, .want = pick(0, bucket.capacity), .least = 1, .reports = {}};
            for (std::size_t i = 0; i < std::min(holder.size(), asked.reports.size()); ++i) {
                auto& [report] = holder[i];
                auto const returned = pick(0, 3) == 0 ? report.returned : 0;
                asked.reports[i] = {report.lapses_at_us, report.spent, returned};
                report = {report.lapses_at_us, 0, report.returned - returned};
            }
            auto const result = limiter::lend_from_bucket<Clamps>(asked, &state, now);
            if (result.changed) state = result.next;
            if (result.answer.granted > 0) holder.push_back({{result.answer.lapses_at_us, 0, result.answer.granted}});
        }
    }
    return shadow.worst();
}

struct without_lapse : limiter::every_clamp {
    static constexpr bool at_lapse = false;
};
struct without_outstanding : limiter::every_clamp {
    static constexpr bool outstanding = false;
};
struct report_first : limiter::every_clamp {
    static constexpr bool before_report = false;
};

template <class Clamps>
double worst_of_many()
{
    double worst = -1e300;
    for (std::uint64_t seed = 1; seed <= 40; ++seed)
        worst = std::max({worst, worst_of_any_holders<Clamps>(seed), worst_of<Clamps>(seed)});
    return worst;
}

} // namespace

TEST_CASE("leases never admit more than the limit, in any interval of any schedule")
{
    auto const first = std::random_device{}();
    for (std::uint64_t i = 0; i < 60; ++i) {
        auto const seed = i < 30 ? i + 1 : first + i;
        CAPTURE(seed);
        CHECK(worst_of<limiter::every_clamp>(seed) <= 0);
        CHECK(worst_of_any_holders<limiter::every_clamp>(seed) <= 0);
    }
}

TEST_CASE("without any one clamp the same schedules go beyond the limit")
{
    auto const lapse = worst_of_many<without_lapse>();
    auto const outstanding = worst_of_many<without_outstanding>();
    auto const report = worst_of_many<report_first>();
    MESSAGE("permits beyond the limit: no clamp at a lapse " << lapse << ", none of what is out " << outstanding
                                                             << ", a report before the clamp " << report);
    CHECK(lapse > 0);
    CHECK(outstanding > 0);
    CHECK(report > 0);
}

} // namespace penstock::tests
