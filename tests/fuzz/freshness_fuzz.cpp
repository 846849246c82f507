// AK-34, AK-35: whatever the Cache-Control of a key set's answer says, the set is believed for a bounded time, read in one way,
// and the next fetch is due within what the operator set.
#include "auth/key_refresh.hpp"
#include "base/field_name.hpp"
#include "fuzz_targets.hpp"

#include <algorithm>
#include <string>

namespace penstock::fuzz {
namespace {

constexpr base::micros second{1'000'000};

std::string in_upper_case(std::string_view text)
{
    std::string made{text};
    std::ranges::transform(made, made.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c & ~0x20) : c; });
    return made;
}

bool forbids(std::string_view directive)
{
    return base::same_field(base::trim_ows(directive), "no-store") || base::same_field(base::trim_ows(directive), "no-cache");
}

// Directive by directive: one that forbids decides, else the least that one says.
std::optional<base::micros> one_by_one(std::string_view list)
{
    std::optional<base::micros> found;
    for (auto more = true; more;) {
        auto const comma = list.find(',');
        auto const directive = list.substr(0, comma);
        if (forbids(directive)) return base::micros{0};
        if (auto const said = auth::freshness_of(directive)) found = std::min(found.value_or(*said), *said);
        more = comma != std::string_view::npos;
        if (more) list.remove_prefix(comma + 1);
    }
    return found;
}

void check_next_fetch(std::optional<base::micros> fresh)
{
    auto const now = base::at_epoch_us(1'000'000'000'000'000);
    auth::key_source source;
    source.refresh = 600 * second;
    source.cooldown = 30 * second;
    auth::key_refresh machine(source, now, 0.0);
    require(machine.resume(now) == auth::key_refresh::action::fetch, "the first fetch is due at once");
    machine.note_fetched(fresh, now);
    require(machine.next() >= now + source.cooldown, "no answer brings the next fetch within the cooldown");
    require(machine.next() <= now + source.refresh, "no answer puts the next fetch off");
}

} // namespace

void freshness(std::string_view cache_control)
{
    auto const fresh = auth::freshness_of(cache_control);
    require(!fresh || (*fresh >= base::micros{0} && *fresh <= 366 * 86'400 * second), "a set is fresh for up to a leap year");
    require(fresh == one_by_one(cache_control), "a list says what its directives say");
    require(fresh == auth::freshness_of(in_upper_case(cache_control)), "case means nothing");
    require(fresh == auth::freshness_of("\t " + std::string{cache_control} + " ,\t,"),
            "blanks and empty elements mean nothing");
    require(auth::freshness_of(std::string{cache_control} + ", No-Store") == base::micros{0}, "what forbids is heard anywhere");
    check_next_fetch(fresh);
}

} // namespace penstock::fuzz
