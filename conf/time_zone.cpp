#include "conf/time_zone.hpp"

#include "conf/zone_rule.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace penstock::conf {

namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

constexpr sys_seconds beginning_of_time = sys_seconds::min();
constexpr seconds largest_offset = std::chrono::hours{26}; // RFC 8536 section 3.2: less than that
constexpr std::chrono::year first_year{1970};              // of a rule, where a file lists nothing

// Big-endian numbers, one after the other; beyond the end everything is 0 and `ok` is false.
class byte_reader {
public:
    explicit byte_reader(std::string_view bytes) noexcept : rest_(bytes) {}

    [[nodiscard]] bool ok() const noexcept { return ok_; }
    [[nodiscard]] std::string_view rest() const noexcept { return rest_; }

    std::string_view bytes(std::uint64_t count) noexcept
    {
        if (count > rest_.size()) {
            ok_ = false;
            rest_ = {};
            return {};
        }
        auto const taken = rest_.substr(0, static_cast<std::size_t>(count));
        rest_.remove_prefix(taken.size());
        return taken;
    }
    std::uint64_t number(unsigned width) noexcept
    {
        std::uint64_t value = 0;
        for (char const c : bytes(width)) value = value << 8U | static_cast<unsigned char>(c);
        return value;
    }

private:
    std::string_view rest_;
    bool ok_ = true;
};

// RFC 8536 section 3.1.
struct file_header {
    char version = 0;
    std::uint64_t ut_indicators = 0;
    std::uint64_t standard_indicators = 0;
    std::uint64_t leap_seconds = 0;
    std::uint64_t changes = 0;
    std::uint64_t types = 0;
    std::uint64_t name_bytes = 0;
};

std::optional<file_header> read_header(byte_reader& from)
{
    if (from.bytes(4) != "TZif") return std::nullopt;
    file_header made;
    auto const version = from.bytes(1);
    made.version = version.empty() ? '\0' : version.front();
    from.bytes(15); // reserved
    for (auto* count :
         {&made.ut_indicators, &made.standard_indicators, &made.leap_seconds, &made.changes, &made.types, &made.name_bytes})
        *count = from.number(4);
    if (!from.ok()) return std::nullopt;
    return made;
}

constexpr unsigned type_bytes = 6; // offset, is it summer time, name

// The first block is for readers of 32 bits; the second repeats it in 64.
void skip_first_block(byte_reader& from, file_header const& header)
{
    from.bytes(header.changes * 5 + header.types * type_bytes + header.name_bytes + header.leap_seconds * 8 +
               header.standard_indicators + header.ut_indicators);
}

} // namespace

time_zone::time_zone() { changes_.push_back({beginning_of_time, seconds{0}}); }

std::optional<time_zone> time_zone::parse(std::string_view file)
{
    byte_reader from{file};
    auto const first = read_header(from);
    if (!first || first->version < '2') return std::nullopt;
    skip_first_block(from, *first);
    auto const header = read_header(from);
    if (!header || header->types == 0) return std::nullopt;

    byte_reader instants{from.bytes(header->changes * 8)};
    auto const type_of_change = from.bytes(header->changes);
    auto const types = from.bytes(header->types * type_bytes);
    from.bytes(header->name_bytes + header->leap_seconds * 12 + header->standard_indicators + header->ut_indicators);
    if (!from.ok()) return std::nullopt;
    auto const offset_of = [&types](std::uint64_t type) {
        byte_reader entry{types.substr(std::min<std::uint64_t>(type * type_bytes, types.size()))};
        return seconds{static_cast<std::int32_t>(entry.number(4))};
    };

    time_zone made;
    made.changes_.front().offset = offset_of(0);
    for (char const type : type_of_change)
        made.add(sys_seconds{seconds{static_cast<std::int64_t>(instants.number(8))}},
                 offset_of(static_cast<unsigned char>(type)));
    auto footer = from.rest();
    if (footer.size() < 2 || footer.front() != '\n' || footer.back() != '\n') return std::nullopt;
    footer = footer.substr(1, footer.size() - 2);
    if (!footer.empty() && !made.follow_rule(footer)) return std::nullopt;
    return made;
}

std::chrono::sys_seconds time_zone::begin_of(std::chrono::local_days day) const noexcept
{
    sys_seconds const as_if_utc{day.time_since_epoch()};
    auto const after = [](sys_seconds at, change const& one) { return at < one.at; };
    auto at = std::upper_bound(changes_.begin() + 1, changes_.end(), as_if_utc - largest_offset, after) - 1;
    for (;; ++at) {
        auto const reached = std::max(at->at, as_if_utc - at->offset);
        auto const next = at + 1;
        if (next == changes_.end() || reached < next->at) return reached;
    }
}

void time_zone::add(std::chrono::sys_seconds at, std::chrono::seconds offset)
{
    if (at > changes_.back().at) changes_.push_back({at, offset});
}

bool time_zone::follow_rule(std::string_view rule)
{
    auto const read = parse_zone_rule(rule);
    if (!read) return false;
    if (!read->summer_time) return true; // as after the last change
    auto const& summer = *read->summer_time;
    auto const listed = changes_.back().at;
    auto year = first_year;
    if (listed > sys_seconds{}) {
        year = std::chrono::year_month_day{std::chrono::floor<std::chrono::days>(listed)}.year();
    }
    for (; year <= last_year; ++year) {
        change const begin{summer.begin.in(year) + summer.begin_time - read->standard, summer.offset};
        change const end{summer.end.in(year) + summer.end_time - summer.offset, read->standard};
        auto const& [earlier, later] = std::minmax(begin, end, [](auto const& a, auto const& b) { return a.at < b.at; });
        add(earlier.at, earlier.offset);
        add(later.at, later.offset);
    }
    return true;
}

} // namespace penstock::conf
