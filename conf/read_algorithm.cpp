#include "conf/read_algorithm.hpp"

#include "conf/read.hpp"
#include "conf/scalar.hpp"

#include <algorithm>
#include <array>

namespace penstock::conf {

namespace {

using limiter::algorithm;

// The parameters of one algorithm, those of `instead` before its own.
class parameters {
public:
    parameters(node const& own, node const* instead, calendars const& known) : own_(own), instead_(instead), calendars_(known)
    {}

    [[nodiscard]] node const* find(std::string_view key) const
    {
        auto const* other = instead_ != nullptr ? instead_->find(key) : nullptr;
        return other != nullptr ? other : own_.find(key);
    }
    [[nodiscard]] std::optional<std::int64_t> permits(std::string_view key) const
    {
        auto const number = parsed(find(key), parse_integer);
        return number && *number >= 1 ? number : std::nullopt;
    }
    [[nodiscard]] std::optional<base::micros> window() const
    {
        auto const length = parsed(find("window"), parse_duration);
        return length && length->count() >= 1 ? length : std::nullopt;
    }
    [[nodiscard]] limiter::calendar const* calendar() const
    {
        auto const unit = parsed(find("calendar"), parse_calendar_unit);
        auto const* zone = find("time_zone");
        return unit ? calendars_.find(*unit, zone != nullptr ? text_of(zone) : std::string{default_time_zone}) : nullptr;
    }

private:
    node const& own_;
    node const* instead_;
    calendars const& calendars_;
};

std::optional<algorithm> read_token_bucket(parameters const& from)
{
    auto const capacity = from.permits("capacity");
    auto const refill = parsed(from.find("refill"), parse_rate);
    if (!capacity || !refill) return std::nullopt;
    if (text_of(from.find("replenish")) == "periodic")
        return limiter::make_periodic_bucket(*capacity, refill->permits, refill->period);
    return limiter::make_token_bucket(*capacity, refill->permits, refill->period);
}

std::optional<algorithm> read_fixed_window(parameters const& from)
{
    auto const limit = from.permits("limit");
    if (limit && from.find("calendar") != nullptr) {
        auto const* calendar = from.calendar();
        return calendar != nullptr ? std::optional<algorithm>{limiter::calendar_window{*limit, calendar}} : std::nullopt;
    }
    auto const window = from.window();
    if (!limit || !window) return std::nullopt;
    if (text_of(from.find("align")) == "clock") return limiter::make_clock_window(*limit, *window);
    return limiter::make_fixed_window(*limit, *window);
}

std::optional<algorithm> read_sliding_window(parameters const& from)
{
    auto const limit = from.permits("limit");
    auto const window = from.window();
    auto const segments = from.permits("segments");
    if (!limit || !window || !segments) return std::nullopt;
    return limiter::make_sliding_window(*limit, *window, *segments);
}

std::optional<algorithm> read_sliding_counter(parameters const& from)
{
    auto const limit = from.permits("limit");
    auto const window = from.window();
    if (!limit || !window) return std::nullopt;
    return limiter::make_sliding_counter(*limit, *window);
}

std::optional<algorithm> read_sliding_log(parameters const& from)
{
    auto const limit = from.permits("limit");
    auto const window = from.window();
    if (!limit || !window) return std::nullopt;
    return limiter::make_sliding_log(*limit, *window);
}

std::optional<algorithm> read_concurrency(parameters const& from)
{
    auto const limit = from.permits("limit");
    if (!limit) return std::nullopt;
    return limiter::concurrency{*limit};
}

struct known_algorithm {
    std::string_view name;
    std::optional<algorithm> (*read)(parameters const&);
};
constexpr std::array known_algorithms{
    known_algorithm{"token_bucket", read_token_bucket},     known_algorithm{"fixed_window", read_fixed_window},
    known_algorithm{"sliding_window", read_sliding_window}, known_algorithm{"sliding_window_counter", read_sliding_counter},
    known_algorithm{"sliding_log", read_sliding_log},       known_algorithm{"concurrency", read_concurrency},
};

known_algorithm const* find_known_algorithm(std::string_view key) noexcept
{
    auto const* const found = std::find_if(known_algorithms.begin(), known_algorithms.end(),
                                           [&](known_algorithm const& one) { return one.name == key; });
    return found == known_algorithms.end() ? nullptr : found;
}

} // namespace

bool is_algorithm(std::string_view key) noexcept { return find_known_algorithm(key) != nullptr; }

member const* find_algorithm(node const& limit) noexcept
{
    auto const found =
        std::find_if(limit.members.begin(), limit.members.end(), [](member const& m) { return is_algorithm(m.key); });
    return found == limit.members.end() ? nullptr : &*found;
}

std::optional<limiter::algorithm> read_algorithm(member const& written, node const* instead, calendars const& known)
{
    return find_known_algorithm(written.key)->read({written.value, instead, known});
}

} // namespace penstock::conf
