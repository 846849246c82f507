#include "limiter/denial_memory.hpp"

#include <algorithm>
#include <variant>

namespace penstock::limiter {
namespace {

__extension__ using wide = __int128;

// What fits beside the end of a refusal into one word: how much later the counter is untouched, and what is left of it.
constexpr std::int64_t most_remaining = 1 << 10;

struct details {
    std::int64_t reset_later_us;
    std::int64_t remaining;
};

std::int64_t pack(details const& what) noexcept { return what.reset_later_us * most_remaining + what.remaining; }
details unpack(std::int64_t packed) noexcept { return {packed / most_remaining, packed % most_remaining}; }

// A bucket fills while its caller waits: what is missing at `wait` before the cost passes is what arrives until then.
std::int64_t remaining_at(claim const& asked, std::int64_t told, base::micros wait) noexcept
{
    auto const* bucket = std::get_if<token_bucket>(&asked.algorithm());
    if (!bucket || asked.cost == 1) return told;
    auto const interval = wide{bucket->interval_us} * bucket->interval_den + bucket->interval_num;
    auto const missing = static_cast<std::int64_t>((wide{wait.count()} * bucket->interval_den - 1) / interval + 1);
    return std::max(told, asked.cost - missing);
}

} // namespace

bool denial_memory::remembers(claim const& asked) noexcept
{
    return asked.policy->enforce == enforcement::enforce && !std::holds_alternative<concurrency>(asked.algorithm());
}

std::optional<decision> denial_memory::find(std::uint64_t fingerprint, claim const& asked, base::instant now) noexcept
{
    auto const* kept = table_.find(fingerprint);
    auto const now_us = base::since_epoch_us(now);
    if (!kept || kept->until_us <= now_us) return std::nullopt;
    auto const more = unpack(kept->extra);
    base::micros const wait{kept->until_us - now_us};
    return decision{.allowed = false,
                    .known = true,
                    .remaining = remaining_at(asked, more.remaining, wait),
                    .reset_after = wait + base::micros{more.reset_later_us},
                    .retry_after = wait};
}

void denial_memory::remember(std::uint64_t fingerprint, decision const& said, base::instant sent_at, base::instant now) noexcept
{
    if (said.allowed || said.retry_after == never || said.remaining >= most_remaining) return;
    auto const until = sent_at + said.retry_after;
    auto const reset_later = said.reset_after - said.retry_after;
    if (until <= now || reset_later < base::micros{0}) return;
    counter_state const kept{.until_us = base::since_epoch_us(until),
                             .extra = pack({.reset_later_us = reset_later.count(), .remaining = said.remaining})};
    if (auto* known = table_.find(fingerprint)) {
        *known = kept;
        return;
    }
    table_.insert(fingerprint, kept, now);
    if (table_.size() > bound_) table_.shrink_to(bound_, fingerprint, now);
}

} // namespace penstock::limiter
