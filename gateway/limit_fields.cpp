#include "gateway/limit_fields.hpp"

#include <boost/beast/core/string.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace penstock::gateway {
namespace {

__extension__ using wide = __int128; // products of two quotas of up to 15 digits

constexpr std::int64_t largest_integer = 999'999'999'999'999; // RFC 9651 section 3.3.1 (RL-10)

std::int64_t whole_seconds(base::micros wait) noexcept
{
    constexpr std::int64_t second = 1'000'000;
    return wait.count() <= 0 ? 0 : (wait.count() - 1) / second + 1;
}

// Until one more permit than now is there. Exact for a token bucket; a window's end for a window.
base::micros until_next_permit(limiter::algorithm const& how, limiter::decision const& said) noexcept
{
    auto const* bucket = std::get_if<limiter::token_bucket>(&how);
    if (!bucket) return said.reset_after;
    auto const permits_later = std::max<std::int64_t>(0, bucket->capacity - said.remaining - 1);
    return said.reset_after - base::micros{permits_later * bucket->interval_us};
}

// -11, section 4.1.2: within `t` seconds no more than `r`. A large r with a small t would invite a burst (RL-16).
std::int64_t window_of(limit_report::member const& member, limiter::decision const& said) noexcept
{
    if (std::holds_alternative<limiter::fixed_window>(*member.numbers)) return whole_seconds(said.reset_after);
    auto const proportional =
        (wide{member.remaining} * member.window + member.quota - 1) / std::max<std::int64_t>(member.quota, 1);
    return std::max(static_cast<std::int64_t>(proportional), whole_seconds(until_next_permit(*member.numbers, said)));
}

void append_number(std::string& out, std::int64_t number)
{
    std::array<char, 20> digits;
    out.append(digits.data(),
               std::to_chars(digits.data(), digits.data() + digits.size(), std::min(number, largest_integer)).ptr);
}

void append_line(std::string& out, std::string_view name, std::int64_t number)
{
    out.append(name).append(": ");
    append_number(out, number);
    out.append("\r\n");
}

// Policy names are [A-Za-z0-9._-]: as a String of RFC 9651 they need no escape (RL-9).
void append_parameter(std::string& out, std::string_view key, std::int64_t number)
{
    out.append(key);
    append_number(out, number);
}

void append_draft(std::string& out, std::span<limit_report::member const> members)
{
    out.append("RateLimit-Policy: ");
    for (auto const& member : members) {
        if (&member != members.data()) out.append(", ");
        out.append("\"").append(member.policy->name).append("\"");
        append_parameter(out, ";q=", member.quota);
        append_parameter(out, ";w=", member.window);
    }
    out.append("\r\nRateLimit: ");
    for (auto const& member : members) {
        if (&member != members.data()) out.append(", ");
        out.append("\"").append(member.policy->name).append("\"");
        append_parameter(out, ";r=", member.remaining);
        append_parameter(out, ";t=", member.wait);
    }
    out.append("\r\n");
}

// Takes the next member of an sf-list of strings with parameters off the front of `list`; false if it is malformed.
bool take_member(std::string_view& list, std::string_view& name) noexcept
{
    if (!list.starts_with('"')) return false;
    std::size_t at = 1;
    for (; at < list.size() && list[at] != '"'; ++at) {
        if (list[at] == '\\' && ++at == list.size()) return false;
        if (list[at] < ' ' || list[at] > '~') return false;
    }
    if (at >= list.size()) return false;
    name = list.substr(1, at - 1);
    bool quoted = false;
    for (++at; at < list.size() && (quoted || list[at] != ','); ++at) {
        if (list[at] == '"') quoted = !quoted;
    }
    auto const parameters = list.substr(name.size() + 2, at - name.size() - 2);
    if (quoted || (!parameters.empty() && parameters.front() != ';') || parameters.find("=;") != std::string_view::npos ||
        parameters.find(";;") != std::string_view::npos || parameters.ends_with('=') || parameters.ends_with(';'))
        return false;
    auto const comma = at < list.size();
    list.remove_prefix(comma ? at + 1 : at);
    while (list.starts_with(' ') || list.starts_with('\t')) list.remove_prefix(1);
    return !comma || !list.empty(); // a comma stands between two members only (RFC 9651 section 4.2.1)
}

} // namespace

limit_report report_limits(limiter::admission_ruling const& gate, unsigned jitter_percent, double dice)
{
    limit_report report;
    for (auto const& each : gate.rulings) {
        auto const& policy = *each.policy;
        if (!each.answered() || policy.advertise == limiter::advertisement::hidden ||
            policy.enforce == limiter::enforcement::shadow)
            continue;
        limit_report::member member{.policy = &policy,
                                    .numbers = each.numbers,
                                    .quota = limiter::burst_of(*each.numbers),
                                    .window = limiter::window_seconds_of(*each.numbers),
                                    .remaining = std::max<std::int64_t>(0, each.decision.remaining),
                                    .wait = 0,
                                    .violated = each.result == limiter::outcome::refused};
        member.wait = member.violated && each.decision.retry_after != limiter::never ? whole_seconds(each.decision.retry_after)
                                                                                     : window_of(member, each.decision);
        report.members.push_back(member);
    }
    // Tightest first: clients that read one member read the first (RL-21). What refused comes before everything.
    std::ranges::stable_sort(report.members, [](auto const& a, auto const& b) {
        if (a.violated != b.violated) return a.violated;
        return wide{a.remaining} * b.quota < wide{b.remaining} * a.quota;
    });

    if (gate.verdict != limiter::admission_ruling::kind::refused || gate.retry_after == limiter::never) return report;
    auto const true_wait = std::max<std::int64_t>(1, whole_seconds(gate.retry_after));
    auto const jitter = std::llround(static_cast<double>(true_wait) * jitter_percent / 100.0 * dice);
    report.retry_after = true_wait + jitter;
    if (jitter == 0) return report;
    for (auto& member : report.members) {
        if (member.violated) member.wait += jitter * member.wait / true_wait;
    }
    return report;
}

void append_limit_fields(std::string& out, limit_report const& report, conf::response_settings const& settings,
                         std::int64_t now_s, upstream_families const& theirs)
{
    if (report.retry_after) append_line(out, "Retry-After", *report.retry_after);
    if (report.empty()) return;
    auto const& tightest = report.members.front();
    auto const shown = settings.members == conf::member_list::tightest ? 1 : report.members.size();
    for (auto const style : settings.rate_limit_fields) {
        switch (style) {
        case conf::field_style::draft: append_draft(out, {report.members.data(), shown}); break;
        case conf::field_style::triple: {
            if (theirs.triple_stands) break;
            append_line(out, "RateLimit-Limit", tightest.quota);
            append_line(out, "RateLimit-Remaining", tightest.remaining);
            append_line(out, "RateLimit-Reset", report.retry_after.value_or(tightest.wait)); // RL-52
            break;
        }
        case conf::field_style::x_ratelimit: {
            if (theirs.x_ratelimit_stands) break;
            auto const wait = report.retry_after.value_or(tightest.wait);
            append_line(out, "X-RateLimit-Limit", tightest.quota);
            append_line(out, "X-RateLimit-Remaining", tightest.remaining);
            append_line(out, "X-RateLimit-Reset", settings.reset == conf::reset_style::epoch ? now_s + wait : wait);
            break;
        }
        }
    }
}

upstream_fields judge_list_field(std::string_view value, limit_report const& report)
{
    if (value.empty()) return upstream_fields::drop;
    while (!value.empty()) {
        std::string_view name;
        if (!take_member(value, name)) return upstream_fields::drop;
        for (auto const& ours : report.members) {
            if (name == ours.policy->name) return upstream_fields::drop;
        }
    }
    return upstream_fields::copy;
}

bool upstream_is_stricter(std::span<base::field const> fields, std::string_view remaining_name, limit_report const& report)
{
    if (report.empty()) return true; // we say nothing: theirs stand
    for (auto const& field : fields) {
        if (!boost::beast::iequals(field.name, remaining_name)) continue;
        std::int64_t remaining = 0;
        auto const end = field.value.data() + field.value.size();
        auto const parsed = std::from_chars(field.value.data(), end, remaining);
        return parsed.ec == std::errc{} && parsed.ptr == end && remaining >= 0 && remaining < report.members.front().remaining;
    }
    return false;
}

} // namespace penstock::gateway
