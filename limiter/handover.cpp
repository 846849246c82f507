#include "limiter/handover.hpp"

#include "limiter/error.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace penstock::limiter {

namespace {

// Of this debt, that is: the store would say the same again, while callers' checks of other keys may well pass. A key that the
// user has no right to; or scripts that it runs for nobody.
bool is_refused(base::error_code why) noexcept { return why == errc::refused_login || why == errc::script; }

} // namespace

// One check of one counter. Lives until it is answered, also when whoever sent it is gone.
class handover::call final : public redis::waiter {
public:
    call(outage_debt debt, stand_in& from, std::shared_ptr<progress> of, base::instant now)
        : waiter(answer_), debt_(std::move(debt)), from_(from), progress_(std::move(of)), sent_at_(now)
    {
        constexpr std::int64_t most = std::numeric_limits<std::uint32_t>::max();
        policy_.scope = scope::fleet;
        policy_.packed_id = debt_.packed_id;
        claim_ = claim_of(debt_, policy_);
        claim_.times = static_cast<std::uint32_t>(std::min(debt_.permits, most)); // each of one permit: as many as fit
        ++progress_->under_way;
    }
    [[nodiscard]] std::span<claim const> asks() const noexcept { return {&claim_, 1}; }

    [[nodiscard]] bool is_of_a_caller() const noexcept override { return false; }

    // Without an answer nobody knows whether the store has charged it: then it is told again, for twice is not above the limit.
    void wake(redis::resumption) override
    {
        std::unique_ptr<call> const self(this);
        --progress_->under_way;
        if (!answer_ && is_refused(answer_.error())) return from_.refused_to_take(debt_);
        (answer_ ? progress_->succeeded : progress_->failed) = true;
        if (!answer_) return from_.not_handed_over(debt_);
        from_.handed_over(debt_, answer_->granted);
        from_.note(asks(), *answer_, sent_at_);
    }

private:
    base::result<verdict> answer_{errc::not_connected};
    outage_debt debt_;
    stand_in& from_;
    std::shared_ptr<progress> progress_;
    base::instant sent_at_;
    policy policy_; // enforced and local, and nothing else counts
    claim claim_;
};

void handover::send(outage_debt debt, base::instant now)
{
    auto& waiting = *std::make_unique<call>(std::move(debt), from_, progress_, now).release();
    to_.ask(waiting.asks(), base::instant::max(), waiting);
}

void handover::before(std::span<claim const> asked, base::instant now)
{
    for (auto const& each : asked) {
        if (!to_.can_ask(each)) continue;
        if (auto debt = from_.take(each, now)) send(std::move(*debt), now);
    }
}

bool handover::pauses(base::instant now)
{
    auto const failed = std::exchange(progress_->failed, false);
    if (std::exchange(progress_->succeeded, false)) {
        pause_ = {};
        pauses_until_ = {};
    } else if (failed) {
        pause_ = std::clamp(2 * pause_, first_pause, longest_pause);
        pauses_until_ = now + pause_;
    }
    return now < pauses_until_;
}

void handover::tick(base::instant now)
{
    if (!is_due() || progress_->under_way >= most_under_way || pauses(now)) return;
    auto const can = [this](claim const& about) { return to_.can_ask(about); };
    for (auto& each : from_.take_some(most_under_way - progress_->under_way, can, now)) send(std::move(each), now);
}

} // namespace penstock::limiter
