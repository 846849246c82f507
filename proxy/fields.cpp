#include "proxy/fields.hpp"

#include "base/field_name.hpp"

#include <algorithm>
#include <array>

namespace penstock::proxy {
namespace {

using base::is_field;

bool begins_with(std::string_view name, std::string_view lower) noexcept
{
    return is_field(name.substr(0, lower.size()), lower);
}

struct known_field {
    std::string_view name;
    field_kind kind;
};

// By length, so that a name is compared with the few that are as long. X-Forwarded-* is treated apart.
constexpr std::array known_fields = [] {
    using enum field_kind;
    std::array table{
        known_field{"te", hop_by_hop},
        known_field{"via", via},
        known_field{"host", host},
        known_field{"expect", expect},
        known_field{"upgrade", upgrade},
        known_field{"forwarded", forwarded_chain},
        known_field{"x-real-ip", address_claim},
        known_field{"keep-alive", hop_by_hop},
        known_field{"connection", connection},
        known_field{"x-client-ip", address_claim},
        known_field{"x-http-method", request_rewrite},
        known_field{"x-rewrite-url", request_rewrite},
        known_field{"http2-settings", hop_by_hop},
        known_field{"content-length", content_length},
        known_field{"true-client-ip", address_claim},
        known_field{"x-original-url", request_rewrite},
        known_field{"fastly-client-ip", address_claim},
        known_field{"proxy-connection", hop_by_hop},
        known_field{"cf-connecting-ip", address_claim},
        known_field{"transfer-encoding", transfer_encoding},
        known_field{"x-method-override", request_rewrite},
        known_field{"proxy-authenticate", hop_by_hop},
        known_field{"x-cluster-client-ip", address_claim},
        known_field{"proxy-authorization", hop_by_hop},
        known_field{"x-http-method-override", request_rewrite},
        known_field{"x-original-forwarded-for", address_claim},
    };
    std::sort(table.begin(), table.end(), [](auto const& a, auto const& b) { return a.name.size() < b.name.size(); });
    return table;
}();

constexpr std::size_t longest_known = known_fields.back().name.size();

// first_of_length[n]: where the names of n or more bytes begin.
constexpr std::array<std::uint8_t, longest_known + 2> first_of_length = [] {
    std::array<std::uint8_t, longest_known + 2> first{};
    for (std::size_t length = 0; length < first.size(); ++length)
        for (auto const& known : known_fields)
            if (known.name.size() < length) ++first[length];
    return first;
}();

field_kind classify_x_forwarded(std::string_view name) noexcept
{
    auto const what = name.substr(std::string_view{"x-forwarded-"}.size());
    bool const chain = is_field(what, "for") || is_field(what, "proto") || is_field(what, "host") || is_field(what, "port");
    return chain ? field_kind::forwarded_chain : field_kind::peer_claim;
}

// Fields that an option of Connection cannot take away: who is calling, what is asked for, what the limiter says (H1-72).
bool is_protected(std::string_view name) noexcept
{
    static constexpr std::string_view names[] = {
        "authorization",    "cookie",      "set-cookie", "cache-control", "content-type",
        "content-encoding", "retry-after", "x-api-key",  "date",          "server"};
    if (begins_with(name, "ratelimit") || begins_with(name, "x-ratelimit-")) return true;
    return std::any_of(std::begin(names), std::end(names), [&](auto protected_name) { return is_field(name, protected_name); });
}

// Cuts the first element off a comma-separated list.
std::string_view take_element(std::string_view& list) noexcept
{
    auto const comma = list.find(',');
    auto const element = base::trim_ows(list.substr(0, comma));
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
    return element;
}

} // namespace

field_kind classify_field(std::string_view name) noexcept
{
    if (name.find('_') != std::string_view::npos) return field_kind::underscore;
    if (begins_with(name, "x-forwarded-")) return classify_x_forwarded(name);
    if (name.size() > longest_known) return field_kind::end_to_end;
    for (auto i = first_of_length[name.size()]; i < first_of_length[name.size() + 1]; ++i)
        if (is_field(name, known_fields[i].name)) return known_fields[i].kind;
    return field_kind::end_to_end;
}

void connection_options::add(std::string_view value) noexcept
{
    while (!value.empty()) {
        auto const option = take_element(value);
        if (option.empty()) continue;
        if (is_field(option, "close"))
            close_ = true;
        else if (is_field(option, "keep-alive"))
            keep_alive_ = true;
        else if (is_field(option, "upgrade"))
            upgrade_ = true;
        else if (names_.size() < most_names)
            names_.push_back(option);
        else
            too_many_ = true;
    }
}

bool connection_options::removes(std::string_view field) const noexcept
{
    if (names_.empty() || is_protected(field)) return false;
    return std::any_of(names_.begin(), names_.end(), [&](std::string_view name) { return base::same_field(name, field); });
}

bool forwards_response_field(std::string_view name, connection_options const& connection) noexcept
{
    switch (classify_field(name)) {
    case field_kind::connection:
    case field_kind::hop_by_hop:
    case field_kind::upgrade:
    case field_kind::content_length:
    case field_kind::transfer_encoding: return false;
    default: return !connection.removes(name);
    }
}

} // namespace penstock::proxy
