#include "conf/unsupported.hpp"

#include <algorithm>

namespace penstock::conf {

namespace {

constexpr std::string_view leave_out = "remove it";

constexpr unsupported table[] = {
    {"listeners[].tls", {}, "terminate TLS in front of it"},
    {"upstreams.*.balance", "hash *", "use round_robin or least_requests"},
    {"upstreams.*.health", {}, leave_out},
    {"upstreams.*.servers[].tls", {}, leave_out},
};

bool fits(std::string_view pattern, std::string_view value)
{
    if (!pattern.ends_with('*')) return pattern == value;
    return value.starts_with(pattern.substr(0, pattern.size() - 1));
}

} // namespace

std::span<unsupported const> unsupported_parts() noexcept { return table; }

unsupported const* find_unsupported_key(std::string_view path) noexcept
{
    auto const* const found = std::find_if(std::begin(table), std::end(table),
                                           [&](unsupported const& u) { return u.value.empty() && u.path == path; });
    return found == std::end(table) ? nullptr : found;
}

unsupported const* find_unsupported_value(std::string_view path, std::string_view value) noexcept
{
    auto const* const found = std::find_if(std::begin(table), std::end(table), [&](unsupported const& u) {
        return !u.value.empty() && u.path == path && fits(u.value, value);
    });
    return found == std::end(table) ? nullptr : found;
}

} // namespace penstock::conf
