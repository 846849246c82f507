#include "gateway/limit_fields.hpp"

#include "gateway/structured_list.hpp"

#include <boost/beast/core/string.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <iterator>

namespace penstock::gateway {
namespace {

__extension__ using wide = __int128; // products of two quotas of up to 15 digits

constexpr std::int64_t largest_integer = 999'999'999'999'999; // RFC 9651 section 3.3.1 (RL-10)

std::int64_t whole_seconds(base::micros wait) noexcept
{
    constexpr std::int64_t second = 1'000'000;
    return wait.count() <= 0 ? 0 : (wait.count() - 1) / second + 1;
}

// Of a sharded limit a request meets one shard; its client is told of all of them.
limiter::algorithm const& whole_of(limiter::policy const& limit, limiter::algorithm const& met) noexcept
{
    for (auto const& shard : limit.quota.shards) {
        if (&shard == &met) return limit.quota.algorithm;
    }
    return met;
}

// What is left in all shards, of which one was looked at: requests take turns at them, so that they fill alike.
std::int64_t left_of(limiter::policy const& limit, limiter::algorithm const& met, limiter::decision const& said) noexcept
{
    auto const left = std::max<std::int64_t>(0, said.remaining);
    auto const& whole = whole_of(limit, met);
    if (&whole == &met) return left;
    auto const quota = limiter::burst_of(whole);
    return static_cast<std::int64_t>(wide{left} * quota / std::max<std::int64_t>(1, limiter::burst_of(met)));
}

// Until one more permit than now is there, as exactly as the answer tells: a bucket's next permit, a window's end. Where
// permits come back one by one (sliding ones), until all have: never too early.
base::micros until_more(limiter::algorithm const& how, limiter::decision const& said) noexcept
{
    if (auto const* bucket = std::get_if<limiter::token_bucket>(&how)) {
        auto const permits_later = std::max<std::int64_t>(0, bucket->capacity - said.remaining - 1);
        return said.reset_after - base::micros{permits_later * bucket->interval_us};
    }
    if (auto const* bucket = std::get_if<limiter::periodic_bucket>(&how)) {
        auto const missing = std::max<std::int64_t>(1, bucket->capacity - said.remaining);
        return said.reset_after - base::micros{(missing - 1) / bucket->refill * bucket->period_us};
    }
    return said.reset_after;
}

bool starts_over(limiter::algorithm const& how) noexcept
{
    return std::holds_alternative<limiter::fixed_window>(how) || std::holds_alternative<limiter::clock_window>(how) ||
           std::holds_alternative<limiter::calendar_window>(how);
}

// -11, section 4.1.2: within `t` seconds no more than `r`. A large r with a small t would invite a burst (RL-16), which only a
// window that starts over permits.
std::int64_t effective_window(limit_report::member const& member, limiter::algorithm const& met,
                              limiter::decision const& said) noexcept
{
    auto const wait = whole_seconds(until_more(met, said));
    if (starts_over(met) && wait > 0) return wait;
    auto const proportional =
        (wide{member.remaining} * member.window.value_or(0) + member.quota - 1) / std::max<std::int64_t>(member.quota, 1);
    return std::max(static_cast<std::int64_t>(proportional), wait);
}

limit_report::member describe(limiter::ruling const& from)
{
    auto const& whole = whole_of(*from.policy, *from.numbers);
    limit_report::member member{.policy = from.policy,
                                .numbers = &whole,
                                .quota = limiter::burst_of(whole),
                                .window = std::nullopt,
                                .remaining = left_of(*from.policy, *from.numbers, from.decision),
                                .wait = 0,
                                .violated = from.result == limiter::outcome::refused};
    if (std::holds_alternative<limiter::concurrency>(whole)) return member;
    member.window = limiter::window_seconds_of(whole);
    member.wait = member.violated && from.decision.retry_after != limiter::never
                      ? whole_seconds(from.decision.retry_after)
                      : effective_window(member, *from.numbers, from.decision);
    return member;
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
        if (member.window)
            append_parameter(out, ";w=", *member.window);
        else
            out.append(";qu=\"concurrent-requests\""); // RL-4
    }
    out.append("\r\nRateLimit: ");
    for (auto const& member : members) {
        if (&member != members.data()) out.append(", ");
        out.append("\"").append(member.policy->name).append("\"");
        append_parameter(out, ";r=", member.remaining);
        if (member.window) append_parameter(out, ";t=", member.wait);
    }
    out.append("\r\n");
}

// The older families can only tell of something that resets: the tightest that does, or nothing.
limit_report::member const* tightest_with_window(limit_report const& report) noexcept
{
    auto const found = std::ranges::find_if(report.members, [](auto const& each) { return each.window.has_value(); });
    return found == report.members.end() ? nullptr : &*found;
}

bool is_whole_number(std::optional<bare_item> const& item, std::int64_t least) noexcept
{
    return item && item->what == bare_item::kind::integer && item->number >= least;
}

bool is_absent_or(std::optional<bare_item> const& item, bare_item::kind wanted) noexcept
{
    return !item || item->what == wanted;
}

// The parameters that the draft names have its types, and the one that it requires is there (RL-2, RL-3, RL-5, RL-12).
bool means_something(list_field which, list_member const& member) noexcept
{
    if (!is_absent_or(member.parameter("pk"), bare_item::kind::bytes)) return false;
    if (which == list_field::limits) {
        auto const t = member.parameter("t");
        return is_whole_number(member.parameter("r"), 0) && (!t || is_whole_number(t, 0));
    }
    auto const w = member.parameter("w");
    return is_whole_number(member.parameter("q"), 0) && (!w || is_whole_number(w, 1)) &&
           is_absent_or(member.parameter("qu"), bare_item::kind::string);
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
        report.members.push_back(describe(each));
    }
    // Tightest first: clients that read one member read the first (RL-21). What refused comes before everything.
    auto const comes_before = [](auto const& a, auto const& b) {
        if (a.violated != b.violated) return a.violated;
        return wide{a.remaining} * b.quota < wide{b.remaining} * a.quota;
    };
    // By insertion: std::stable_sort asks for memory, for each request.
    auto const first = report.members.begin();
    for (auto next = first; next != report.members.end(); ++next)
        std::rotate(std::upper_bound(first, next, *next, comes_before), next, std::next(next));

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
    auto const* const tightest = tightest_with_window(report);
    auto const shown = settings.members == conf::member_list::tightest ? 1 : report.members.size();
    for (auto const style : settings.rate_limit_fields) {
        switch (style) {
        case conf::field_style::draft: append_draft(out, {report.members.data(), shown}); break;
        case conf::field_style::triple: {
            if (theirs.triple_stands || !tightest) break;
            append_line(out, "RateLimit-Limit", tightest->quota);
            append_line(out, "RateLimit-Remaining", tightest->remaining);
            append_line(out, "RateLimit-Reset", report.retry_after.value_or(tightest->wait)); // RL-52
            break;
        }
        case conf::field_style::x_ratelimit: {
            if (theirs.x_ratelimit_stands || !tightest) break;
            auto const wait = report.retry_after.value_or(tightest->wait);
            append_line(out, "X-RateLimit-Limit", tightest->quota);
            append_line(out, "X-RateLimit-Remaining", tightest->remaining);
            append_line(out, "X-RateLimit-Reset", settings.reset == conf::reset_style::epoch ? now_s + wait : wait);
            break;
        }
        }
    }
}

upstream_fields judge_list_field(list_field which, std::string_view value, limit_report const& report)
{
    using found = list_reader::found;
    list_reader reader(value);
    list_member member;
    auto members = 0;
    for (;; ++members) {
        auto const next = reader.next(member);
        if (next == found::malformed) return upstream_fields::drop;
        if (next == found::end) return members == 0 ? upstream_fields::drop : upstream_fields::copy; // RL-1: never empty
        if (!means_something(which, member)) return upstream_fields::drop;
        for (auto const& ours : report.members) {
            if (member.text == ours.policy->name) return upstream_fields::drop;
        }
    }
}

bool upstream_is_stricter(std::span<base::field const> fields, std::string_view remaining_name, limit_report const& report)
{
    auto const* const ours = tightest_with_window(report);
    if (!ours) return true; // we say nothing: theirs stand
    for (auto const& field : fields) {
        if (!boost::beast::iequals(field.name, remaining_name)) continue;
        std::int64_t remaining = 0;
        auto const end = field.value.data() + field.value.size();
        auto const parsed = std::from_chars(field.value.data(), end, remaining);
        return parsed.ec == std::errc{} && parsed.ptr == end && remaining >= 0 && remaining < ours->remaining;
    }
    return false;
}

} // namespace penstock::gateway
