#include "conf/scalar.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace penstock::conf {

namespace {

struct unit {
    std::string_view name;
    std::int64_t worth;
};

constexpr std::array time_units{unit{"d", 86'400'000'000}, unit{"h", 3'600'000'000}, unit{"m", 60'000'000},
                                unit{"s", 1'000'000}, unit{"ms", 1'000}};
constexpr std::int64_t kib = 1024;
constexpr std::array size_units{unit{"GiB", kib* kib* kib}, unit{"MiB", kib* kib}, unit{"KiB", kib}, unit{"B", 1}};
constexpr std::array period_words{unit{"second", 1'000'000},   unit{"s", 1'000'000},        unit{"minute", 60'000'000},
                                  unit{"m", 60'000'000},       unit{"hour", 3'600'000'000}, unit{"h", 3'600'000'000},
                                  unit{"day", 86'400'000'000}, unit{"d", 86'400'000'000}};

template <class Units>
std::optional<std::int64_t> parse_with_unit(std::string_view text, Units const& units) noexcept
{
    auto const digits = std::min(text.find_first_not_of("0123456789"), text.size());
    auto const amount = parse_integer(text.substr(0, digits));
    auto const found = std::find_if(units.begin(), units.end(), [&](unit const& u) { return u.name == text.substr(digits); });
    std::int64_t product = 0;
    if (!amount || found == units.end() || __builtin_mul_overflow(*amount, found->worth, &product)) return std::nullopt;
    return product;
}

template <class Units>
std::string write_with_unit(std::int64_t value, Units const& units)
{
    for (auto const& u : units) {
        if (value >= u.worth && value % u.worth == 0) return std::to_string(value / u.worth) + std::string{u.name};
    }
    return std::to_string(value / units.back().worth) + std::string{units.back().name};
}

} // namespace

std::optional<std::int64_t> parse_integer(std::string_view text) noexcept
{
    constexpr std::size_t most_digits = 15; // RL-10, and below 2^53
    if (text.empty() || text.size() > most_digits || text.find_first_not_of("0123456789") != std::string_view::npos) {
        return std::nullopt;
    }
    if (text.size() > 1 && text.front() == '0') return std::nullopt; // 010: ten or eight?
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

std::optional<base::micros> parse_duration(std::string_view text) noexcept
{
    auto const us = parse_with_unit(text, time_units);
    return us ? std::optional{base::micros{*us}} : std::nullopt;
}

std::optional<std::int64_t> parse_size(std::string_view text) noexcept { return parse_with_unit(text, size_units); }

std::optional<rate> parse_rate(std::string_view text) noexcept
{
    auto const slash = text.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    auto const permits = parse_integer(text.substr(0, slash));
    auto const written = text.substr(slash + 1);
    auto period = parse_duration(written);
    for (auto const& word : period_words) {
        if (written == word.name) period = base::micros{word.worth};
    }
    if (!permits || !period || *permits == 0 || period->count() == 0) return std::nullopt;
    return rate{*permits, *period};
}

std::optional<std::int64_t> parse_percentage(std::string_view text) noexcept
{
    if (text.empty() || text.back() != '%') return std::nullopt;
    return parse_integer(text.substr(0, text.size() - 1));
}

std::optional<bool> parse_boolean(std::string_view text) noexcept
{
    if (text == "on" || text == "true") return true;
    if (text == "off" || text == "false") return false;
    return std::nullopt;
}

std::string write_duration(base::micros value) { return write_with_unit(value.count(), time_units); }

std::string write_size(std::int64_t bytes) { return write_with_unit(bytes, size_units); }

} // namespace penstock::conf
