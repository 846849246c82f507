#include "limiter/breaker.hpp"

#include <algorithm>

namespace penstock::limiter {

omen omen_of(errc why) noexcept
{
    switch (why) {
    case errc::loading:
    case errc::refused_login: return omen::certain;
    case errc::timed_out:
    case errc::not_connected:
    case errc::read_only:
    case errc::cluster:
    case errc::out_of_memory:
    case errc::busy:
    case errc::protocol:
    case errc::no_writes:
    case errc::too_many_clients:
    case errc::tls:
    case errc::no_primary: return omen::bad;
    case errc::breaker_open:
    case errc::overloaded:
    case errc::script: return omen::none;
    }
    return omen::none;
}

void breaker::succeeded() noexcept
{
    if (state_ == state::closed) in_a_row_ = 0;
}

bool breaker::suffices(errc why) noexcept
{
    switch (omen_of(why)) {
    case omen::none: return false;
    case omen::bad: return ++in_a_row_ >= wanted_.failures;
    case omen::certain: return true;
    }
    return false;
}

bool breaker::failed(errc why, base::instant now) noexcept
{
    if (state_ != state::closed || !suffices(why)) return false;
    auto const is_relapse =
        why == errc::refused_login && opened_by_ == errc::refused_login && now < closed_at_ + relapse_within;
    if (!is_relapse) times_opened_ = 0;
    opened_by_ = why;
    open(now);
    return true;
}

bool breaker::start_probe(base::instant now) noexcept
{
    if (state_ != state::open || now < probe_at_) return false;
    state_ = state::half_open;
    return true;
}

bool breaker::start_probe_on_new_connection() noexcept
{
    if (state_ != state::open) return false;
    state_ = state::half_open;
    return true;
}

void breaker::probe_succeeded(base::instant now) noexcept
{
    if (state_ != state::half_open) return;
    state_ = state::closed;
    in_a_row_ = 0;
    closed_at_ = now;
}

void breaker::adopt(breaker_settings wanted, base::instant now) noexcept
{
    wanted_ = wanted;
    probe_at_ = std::min(probe_at_, now + wanted.open_for_max);
}

void breaker::probe_failed(base::instant now) noexcept
{
    if (state_ == state::half_open) open(now);
}

void breaker::open(base::instant now) noexcept
{
    auto pause = wanted_.open_for;
    for (unsigned i = 0; i < times_opened_ && pause < wanted_.open_for_max; ++i) pause *= 2;
    pause = std::min(pause, wanted_.open_for_max);
    ++times_opened_;
    state_ = state::open;
    // At least half of the pause: a breaker that may close at once is none.
    probe_at_ = now + jitter_.between(pause / 2, pause);
}

} // namespace penstock::limiter
