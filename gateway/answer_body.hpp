// The bodies of answers that the gateway makes itself: problem+json (RFC 9457) with the problem types of the rate-limit
// draft, plain text, or the operator's template (RL-40..RL-46). Pure.
#pragma once

#include "conf/settings.hpp"
#include "gateway/limit_fields.hpp"
#include "limiter/admit.hpp"

#include <string>
#include <string_view>

namespace penstock::gateway {

// Fields that a browser's script may read only if they are named (RL-35).
inline constexpr std::string_view exposed_fields =
    "RateLimit, RateLimit-Policy, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, "
    "X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Retry-After";

struct answer_body {
    std::string text;
    std::string_view media_type;
};

// `about:blank`: the title is the status phrase (RL-78).
answer_body blank_problem(unsigned status, std::string_view phrase, std::string_view detail);

// A limit refused.
answer_body rejection_body(conf::response_settings const& settings, unsigned status, std::string_view phrase,
                           limiter::admission_ruling const& gate, limit_report const& report);

// The store could not answer and a policy denies then.
answer_body unavailable_body(limiter::admission_ruling const& gate);

// Whether a shared cache may store the response: then one caller's counters must not travel with it (RL-29).
bool is_shared_cacheable(std::string_view cache_control) noexcept;

} // namespace penstock::gateway
