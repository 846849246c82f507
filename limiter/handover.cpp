#include "limiter/handover.hpp"

#include "limiter/error.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace penstock::limiter {

// One check of one counter. Lives until it is answered, also when whoever sent it is gone.
class handover::call final : public redis::waiter {
public:
    call(outage_debt debt, stand_in& from, std::shared_ptr<std::size_t> under_way, base::instant now)
        : waiter(answer_), debt_(std::move(debt)), from_(from), under_way_(std::move(under_way)), sent_at_(now)
    {
        constexpr std::int64_t most = std::numeric_limits<std::uint32_t>::max();
        policy_.scope = scope::fleet;
        policy_.packed_id = debt_.packed_id;
        claim_ = claim_of(debt_, policy_);
        claim_.times = static_cast<std::uint32_t>(std::min(debt_.permits, most)); // each of one permit: as many as fit
        ++*under_way_;
    }
    [[nodiscard]] std::span<claim const> asks() const noexcept { return {&claim_, 1}; }

    // Without an answer nobody knows whether the store has charged it: then it is told again, for twice is not above the limit.
    void wake(redis::resumption) override
    {
        std::unique_ptr<call> const self(this);
        --*under_way_;
        if (!answer_) return from_.not_handed_over(debt_);
        from_.handed_over(debt_);
        from_.note(asks(), *answer_, sent_at_);
    }

private:
    base::result<verdict> answer_{errc::not_connected};
    outage_debt debt_;
    stand_in& from_;
    std::shared_ptr<std::size_t> under_way_;
    base::instant sent_at_;
    policy policy_; // enforced and local, and nothing else counts
    claim claim_;
};

void handover::send(outage_debt debt, base::instant now)
{
    auto& waiting = *std::make_unique<call>(std::move(debt), from_, under_way_, now).release();
    to_.ask(waiting.asks(), base::instant::max(), waiting);
}

void handover::before(std::span<claim const> asked, base::instant now)
{
    for (auto const& each : asked) {
        if (!to_.can_ask(each)) continue;
        if (auto debt = from_.take(each, now)) send(std::move(*debt), now);
    }
}

void handover::tick(base::instant now)
{
    if (!is_due() || *under_way_ >= most_under_way) return;
    auto const can = [this](claim const& about) { return to_.can_ask(about); };
    for (auto& each : from_.take_some(most_under_way - *under_way_, can, now)) send(std::move(each), now);
}

} // namespace penstock::limiter
