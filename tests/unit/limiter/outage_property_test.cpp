// Outages of the store at random, in virtual time: what a whole fleet admits, over every interval, against the limit and the bound
// that docs/outages.md states. The production's own stand-ins; the store is a memory_store that they share.
#include "limiter/stand_in.hpp"
#include "tests/unit/limiter/claims.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <vector>

namespace penstock::limiter::tests {
namespace {

constexpr std::int64_t limit = 60;
constexpr base::micros window{12'000'000};
constexpr std::uint32_t gateways = 3;

struct conduct {
    base::micros stagger{0}; // at most, between the first gateway and the last to lose the store, and to find it again
    bool hands_over = true;
    base::micros quiet{0};          // no outage before
    std::size_t cut_off = gateways; // so many of them, the others have the store all along
    unsigned changes = ~0U;         // of that: lost, found, lost …
};

// One gateway, as far as an outage concerns it.
struct gateway {
    memory_store memory{{.max_keys = 1'000}};
    stand_in local{memory};
    bool reaches_store = true;
};

class fleet {
public:
    fleet(algorithm const& how, conduct const& as, std::uint64_t seed) : as_(as), policy_(policy_of("k", how)), random_(seed)
    {
        claim_ = claim_of(policy_, "x");
        for (std::uint32_t i = 0; i < gateways; ++i) {
            members_.push_back(std::make_unique<gateway>());
            members_.back()->local.set_part({.gateways = gateways, .place = i});
        }
    }

    // Demand of `load` times the limit at random gateways, outages of random length in between.
    void run(double load, base::micros length)
    {
        auto const until = now_ + length;
        next_change_ = now_ + as_.quiet + draw(window);
        auto const between = static_cast<double>(window.count()) / (load * limit);
        std::exponential_distribution<double> pause(1 / between);
        while (now_ < until) {
            now_ += base::micros{1 + static_cast<std::int64_t>(pause(random_))};
            change_what_is_due();
            if (ask(*members_[random_() % gateways])) admitted_.push_back(now_);
        }
    }

    // The most by which the admissions of any interval exceeded `permitted` of it.
    template <class Permitted>
    [[nodiscard]] double worst_excess(Permitted permitted) const
    {
        double worst = 0;
        for (std::size_t i = 0; i < admitted_.size(); ++i) {
            for (auto j = i; j < admitted_.size() && admitted_[j] - admitted_[i] < 5 * window; ++j)
                worst = std::max(worst, static_cast<double>(j - i + 1) - permitted(admitted_[i], admitted_[j]));
        }
        return worst;
    }
    [[nodiscard]] std::size_t admitted() const { return admitted_.size(); }
    // How long the first outage was.
    [[nodiscard]] base::micros first_outage() const { return times_[1] - times_[0]; }

private:
    struct change {
        base::instant at;
        gateway* who;
    };

    base::micros draw(base::micros most) { return base::micros{static_cast<std::int64_t>(random_() % (most.count() + 1))}; }

    void change_what_is_due()
    {
        if (now_ >= next_change_ && times_.size() < as_.changes) {
            for (std::size_t i = 0; i < as_.cut_off; ++i)
                changes_.push_back({next_change_ + draw(as_.stagger), members_[i].get()});
            times_.push_back(next_change_);
            next_change_ += as_.stagger + base::micros{500'000} + draw(2 * window);
        }
        // All that find the store at one moment tell it before anything else is asked.
        std::vector<gateway*> back;
        std::erase_if(changes_, [&](change const& each) {
            if (each.at > now_) return false;
            each.who->reaches_store = !each.who->reaches_store;
            if (each.who->reaches_store) back.push_back(each.who);
            return true;
        });
        for (auto* each : back)
            hand_over(each->local.take_some(
                          10, [](claim const&) { return true; }, now_),
                      *each);
    }

    bool ask(gateway& by)
    {
        if (!by.reaches_store) return by.local.acquire({&claim_, 1}, now_).allowed;
        if (auto debt = by.local.take(claim_, now_)) {
            std::vector<outage_debt> one;
            one.push_back(std::move(*debt));
            hand_over(std::move(one), by);
        }
        auto const said = store_.acquire({&claim_, 1}, now_);
        by.local.note({&claim_, 1}, said, now_);
        return said.allowed;
    }

    // As lua/acquire.lua does for so many requests alike: as many as fit. What it says of the counter is noted, as handover does.
    void hand_over(std::vector<outage_debt> debts, gateway& by)
    {
        for (auto const& each : debts) {
            auto charge = claim_;
            charge.cost = 0;
            auto said = store_.acquire({&charge, 1}, now_);
            charge.cost = std::min(each.permits, said.decisions[0].remaining);
            if (as_.hands_over && charge.cost > 0) said = store_.acquire({&charge, 1}, now_);
            by.local.handed_over(each, charge.cost);
            by.local.note({&charge, 1}, said, now_);
        }
    }

    conduct as_;
    policy policy_;
    claim claim_;
    std::mt19937_64 random_;
    memory_store store_{{.max_keys = 1'000}};
    std::vector<std::unique_ptr<gateway>> members_;
    std::vector<change> changes_;
    std::vector<base::instant> admitted_;
    std::vector<base::instant> times_; // of the changes
    base::instant now_ = start;
    base::instant next_change_{};
};

double windows_in(base::instant from, base::instant to)
{
    return static_cast<double>((to - from).count()) / static_cast<double>(window.count());
}

// What each algorithm permits in an interval.
struct curve {
    char const* name;
    algorithm how;
    double (*permitted)(base::instant, base::instant);
};

std::vector<curve> curves()
{
    auto const clock_windows = [](base::instant from, base::instant to) {
        return static_cast<double>(
            limit * (base::since_epoch_us(to) / window.count() - base::since_epoch_us(from) / window.count() + 1));
    };
    auto const own_windows = [](base::instant from, base::instant to) {
        return static_cast<double>(limit) * (std::floor(windows_in(from, to)) + 2);
    };
    auto const even = [](base::instant from, base::instant to) {
        return static_cast<double>(limit) * (1 + windows_in(from, to));
    };
    auto const log = [](base::instant from, base::instant to) {
        return static_cast<double>(limit) * (std::floor(windows_in(from, to)) + 1);
    };
    return {{"token bucket", *make_token_bucket(limit, limit, window), even},
            {"periodic bucket", *make_periodic_bucket(limit, limit / 2, window / 2), own_windows},
            {"fixed window", *make_fixed_window(limit, window), own_windows},
            {"clock window", *make_clock_window(limit, window), clock_windows},
            {"sliding window", *make_sliding_window(limit, window, 4), own_windows},
            {"sliding counter", *make_sliding_counter(limit, window), even},
            {"sliding log", *make_sliding_log(limit, window), log}};
}

// docs/outages.md: at the beginning no gateway has more than half of its share; until the last is back, the store does not know
// what those have admitted who are not, and they go on at their pace.
double bound(base::micros stagger)
{
    auto const late = stagger == base::micros{0} ? 0.0 : (gateways - 1.0) / gateways;
    auto const pace =
        static_cast<double>(limit) * static_cast<double>(2 * stagger.count()) / static_cast<double>(window.count());
    return (limit + gateways) / 2.0 + late * limit + late * pace;
}

} // namespace

TEST_CASE("over every interval of outages at random a fleet admits no more than the limit and the bound")
{
    auto const seed = std::random_device{}();
    CAPTURE(seed);
    for (auto const stagger : {base::micros{0}, base::micros{2'000'000}}) {
        for (auto const& [name, how, permitted] : curves()) {
            CAPTURE(name);
            for (auto const load : {0.5, 1.0, 4.0}) {
                CAPTURE(load);
                fleet tried(how, {.stagger = stagger}, seed);
                tried.run(load, 40 * window);
                CHECK(tried.worst_excess(permitted) <= bound(stagger));
                CHECK(static_cast<double>(tried.admitted()) > 0.3 * std::min(load, 1.0) * 40 * limit);
            }
        }
    }
}

TEST_CASE("gateways that alone are cut off add their shares, for as long as that lasts")
{
    auto const seed = std::random_device{}();
    CAPTURE(seed);
    for (std::size_t cut_off = 1; cut_off < gateways; ++cut_off) {
        CAPTURE(cut_off);
        for (auto const& [name, how, permitted] : curves()) {
            CAPTURE(name);
            double worst = 0;
            for (std::uint64_t run = 0; run < 10; ++run) {
                fleet tried(how, {.cut_off = cut_off, .changes = 2}, seed + run);
                tried.run(4.0, 5 * window);
                auto const part = static_cast<double>(cut_off) / gateways;
                auto const pace = limit * windows_in({}, base::instant{} + tried.first_outage());
                auto const excess = tried.worst_excess(permitted);
                CHECK(excess <= (limit + gateways) / 2.0 + part * (limit + pace));
                worst = std::max(worst, excess);
            }
            if (name == curves().front().name) CHECK(worst > limit / 6); // it is no empty worry
        }
    }
}

TEST_CASE("a fleet that knew a counter as the outage began, and hands over at its end, exceeds nothing by more than its number")
{
    auto const seed = std::random_device{}();
    CAPTURE(seed);
    auto const bucket = curves().front();
    // At this load the bucket is empty after 1.7 s, and each gateway asks for it 13 times a second: then everybody has just heard that
    // nothing is left. On the way there what a gateway heard last is more than what the others have left of it.
    constexpr double load = 8;
    constexpr auto quiet = window / 2;
    double worst_forgetful = 0;
    for (std::uint64_t run = 0; run < 40; ++run) {
        fleet known(bucket.how, {.quiet = quiet}, seed + run);
        known.run(load, 5 * window);
        CHECK(known.worst_excess(bucket.permitted) <= gateways);

        fleet forgetful(bucket.how, {.hands_over = false, .quiet = quiet}, seed + run);
        forgetful.run(load, 5 * window);
        worst_forgetful = std::max(worst_forgetful, forgetful.worst_excess(bucket.permitted));
    }
    CHECK(worst_forgetful > limit / 2);
}

} // namespace penstock::limiter::tests
