// The fields that tell a client about its limits: RateLimit and RateLimit-Policy as draft-ietf-httpapi-ratelimit-headers-11
// has them, the older triple, X-RateLimit-*, Retry-After. The one place that knows their syntax, because the draft still
// moves (RL-1..RL-36, RL-50..RL-60). Pure.
#pragma once

#include "base/request_facts.hpp"
#include "conf/settings.hpp"
#include "limiter/admit.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace penstock::gateway {

// What one response says of the limits that its request met, worked out once: wire numbers in whole seconds.
struct limit_report {
    struct member {
        limiter::policy const* policy = nullptr;
        limiter::algorithm const* numbers = nullptr; // that the request was held to, of a sharded limit all of it
        std::int64_t quota = 0;                      // q, of all shards together
        std::optional<std::int64_t> window;          // w, seconds; absent: permits are held, not spent by the time (RL-4)
        std::int64_t remaining = 0;                  // r
        std::int64_t wait = 0;                       // t, seconds; says nothing without a window
        bool violated = false;
    };
    boost::container::static_vector<member, limiter::max_claims>
        members; // advertised limits that were answered; tightest first
    std::optional<std::int64_t>
        retry_after; // refused: seconds, >= 1, >= every violated member's wait; absent: no wait would help

    [[nodiscard]] bool empty() const noexcept { return members.empty(); }
};

// `jitter_percent` of the wait, times `dice` in [0, 1), is added upwards to wait and retry_after of a refusal (RL-26).
limit_report report_limits(limiter::admission_ruling const& gate, unsigned jitter_percent, double dice);

// Families of an upstream's own that stand in place of ours, because they are stricter.
struct upstream_families {
    bool triple_stands = false;
    bool x_ratelimit_stands = false;
};

// Appends the configured fields with CRLF. `now_s`: wall clock, seconds since the epoch, for X-RateLimit-Reset as epoch.
void append_limit_fields(std::string& out, limit_report const& report, conf::response_settings const& settings,
                         std::int64_t now_s, upstream_families const& theirs = {});

// What becomes of the limit fields that an upstream sent itself, beside ours (RL-27, RL-28, RL-30, RL-58).
enum class upstream_fields : std::uint8_t { copy, drop };
enum class list_field : std::uint8_t { limits, policies }; // RateLimit, RateLimit-Policy
// Copied if every client reads it, every member says what it must (`r`, `q`), and none has the name of one of ours.
upstream_fields judge_list_field(list_field which, std::string_view value, limit_report const& report);
// For the triple and X-RateLimit-* families, which cannot be sent twice: true if the upstream's are the stricter ones.
bool upstream_is_stricter(std::span<base::field const> fields, std::string_view remaining_name, limit_report const& report);

} // namespace penstock::gateway
