#include "conf/zone_rule.hpp"

#include <algorithm>
#include <charconv>

namespace penstock::conf {

namespace {

using std::chrono::seconds;

bool is_letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Reads from the front of a text; once something is not as it must be, everything after it fails, too.
class rule_reader {
public:
    explicit rule_reader(std::string_view text) noexcept : rest_(text) {}

    [[nodiscard]] bool ok() const noexcept { return ok_; }
    [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }

    bool take(char c) noexcept
    {
        if (!rest_.starts_with(c)) return false;
        rest_.remove_prefix(1);
        return true;
    }
    void expect(char c) noexcept { ok_ = take(c) && ok_; }

    void name() noexcept // CET, <+03>
    {
        auto length = rest_.starts_with('<')
                          ? rest_.find('>')
                          : static_cast<std::size_t>(std::find_if_not(rest_.begin(), rest_.end(), is_letter) - rest_.begin());
        if (rest_.starts_with('<') && length != std::string_view::npos) ++length;
        ok_ = ok_ && length >= 3 && length <= rest_.size();
        rest_.remove_prefix(std::min(length, rest_.size()));
    }

    int number(int most) noexcept
    {
        int value = 0;
        auto const read = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
        ok_ = ok_ && read.ec == std::errc{} && value >= 0 && value <= most;
        rest_.remove_prefix(static_cast<std::size_t>(read.ptr - rest_.data()));
        return value;
    }

    seconds time() noexcept // [+-]hh[:mm[:ss]]
    {
        constexpr int most_hours = 167; // RFC 8536 section 3.3.1
        auto const sign = take('-') ? -1 : 1;
        if (sign > 0) take('+');
        auto sum = std::chrono::hours{number(most_hours)} + seconds{0};
        if (take(':')) sum += std::chrono::minutes{number(59)};
        if (take(':')) sum += seconds{number(59)};
        return sign * sum;
    }

    yearly_day day() noexcept
    {
        yearly_day made;
        if (take('M')) {
            made.month = static_cast<unsigned>(number(12));
            expect('.');
            made.week = static_cast<unsigned>(number(5));
            expect('.');
            made.weekday = static_cast<unsigned>(number(6));
            ok_ = ok_ && made.month >= 1 && made.week >= 1;
        } else {
            made.how = take('J') ? yearly_day::form::day_without_leap : yearly_day::form::day_of_year;
            made.day = number(365);
        }
        return made;
    }

    seconds time_of_day() noexcept { return take('/') ? time() : std::chrono::hours{2}; }

private:
    std::string_view rest_;
    bool ok_ = true;
};

} // namespace

std::chrono::sys_days yearly_day::in(std::chrono::year year) const
{
    using namespace std::chrono;
    if (how == form::weekday_of_month) {
        auto const in_month = year / std::chrono::month{month};
        auto const wanted = std::chrono::weekday{weekday};
        return week == 5 ? sys_days{in_month / wanted[last]} : sys_days{in_month / wanted[week]};
    }
    auto const first = sys_days{year / January / 1};
    if (how == form::day_of_year) return first + days{day};
    constexpr int days_to_march = 59;
    return first + days{day - 1 + (year.is_leap() && day > days_to_march ? 1 : 0)};
}

std::optional<zone_rule> parse_zone_rule(std::string_view text)
{
    rule_reader from{text};
    zone_rule made;
    from.name();
    made.standard = -from.time(); // POSIX counts westwards
    if (!from.at_end()) {
        auto& summer = made.summer_time.emplace();
        from.name();
        summer.offset = made.standard + std::chrono::hours{1};
        if (!from.take(',')) {
            summer.offset = -from.time();
            from.expect(',');
        }
        summer.begin = from.day();
        summer.begin_time = from.time_of_day();
        from.expect(',');
        summer.end = from.day();
        summer.end_time = from.time_of_day();
    }
    if (!from.ok() || !from.at_end()) return std::nullopt;
    return made;
}

} // namespace penstock::conf
