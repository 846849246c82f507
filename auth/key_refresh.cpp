#include "auth/key_refresh.hpp"

#include "base/field_name.hpp"

#include <algorithm>
#include <charconv>

namespace penstock::auth {

key_refresh::key_refresh(key_source const& source, base::instant now, double spread) noexcept
    : refresh_(source.refresh),
      cooldown_(source.cooldown),
      stale_(source.stale),
      spread_(std::clamp(spread, 0.0, 1.0)),
      due_(now),
      allowed_(now)
{}

// Up to a tenth sooner: whatever is promised about freshness holds.
base::micros key_refresh::spread_over(base::micros wait) const noexcept
{
    return wait - base::micros{static_cast<base::micros::rep>(static_cast<double>(wait.count()) * 0.1 * spread_)};
}

key_refresh::action key_refresh::resume(base::instant now) noexcept
{
    if (now >= stale_at_) {
        stale_at_ = base::instant::max();
        return action::forget;
    }
    if (is_fetching_ || now < std::max(due_, allowed_)) return action::rest;
    is_fetching_ = true;
    allowed_ = now + cooldown_;
    return action::fetch;
}

void key_refresh::note_inherited(base::instant confirmed) noexcept
{
    if (stale_ > base::micros{0}) stale_at_ = confirmed + stale_;
}

void key_refresh::note_unknown_key(base::instant now) noexcept { due_ = std::min(due_, now); }

void key_refresh::note_fetched(std::optional<base::micros> max_age, base::instant now) noexcept
{
    is_fetching_ = false;
    failures_ = 0;
    due_ = now + spread_over(std::min(refresh_, max_age.value_or(refresh_)));
    if (stale_ > base::micros{0}) stale_at_ = now + stale_;
}

void key_refresh::note_failed(base::instant now) noexcept
{
    constexpr unsigned most_doublings = 10;
    is_fetching_ = false;
    auto const wait = cooldown_ * (1U << std::min(failures_++, most_doublings));
    due_ = now + spread_over(std::min(wait, std::max(refresh_, cooldown_)));
}

std::optional<base::micros> freshness_of(std::string_view cache_control) noexcept
{
    constexpr std::int64_t most_seconds = 366 * 86'400;
    constexpr std::string_view max_age = "max-age=";
    std::optional<base::micros> found;
    while (!cache_control.empty()) {
        auto const end = cache_control.find(',');
        auto directive = cache_control.substr(0, end);
        cache_control.remove_prefix(end == std::string_view::npos ? cache_control.size() : end + 1);
        directive.remove_prefix(std::min(directive.find_first_not_of(" \t"), directive.size()));
        directive = directive.substr(0, directive.find_last_not_of(" \t") + 1);
        if (base::is_field(directive, "no-cache") || base::is_field(directive, "no-store")) return base::micros{0};
        if (!base::is_field(directive.substr(0, max_age.size()), max_age)) continue;
        auto const digits = directive.substr(max_age.size());
        std::int64_t seconds = 0;
        auto const read = std::from_chars(digits.data(), digits.data() + digits.size(), seconds);
        if (read.ptr != digits.data() + digits.size() || digits.empty() || seconds < 0) continue;
        base::micros const said = std::chrono::seconds(read.ec == std::errc{} ? std::min(seconds, most_seconds) : most_seconds);
        found = std::min(found.value_or(said), said); // of several the least: fetching too soon does no harm
    }
    return found;
}

base::instant key_refresh::next() const noexcept
{
    return is_fetching_ ? stale_at_ : std::min(std::max(due_, allowed_), stale_at_);
}

} // namespace penstock::auth
