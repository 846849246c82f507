#include "partition/client_address.hpp"

#include "base/field_name.hpp"

#include <algorithm>
#include <charconv>

namespace penstock::partition {
namespace {

using base::ip_address;

bool is_trusted(client_settings const& settings, ip_address const& address) noexcept
{
    return std::any_of(settings.trusted_proxies.begin(), settings.trusted_proxies.end(),
                       [&](auto const& network) { return network.contains(address); });
}

bool is_port(std::string_view text) noexcept
{
    unsigned port = 0;
    auto const [end, failed] = std::from_chars(text.data(), text.data() + text.size(), port);
    return failed == std::errc{} && end == text.data() + text.size() && text.size() <= 5 && port <= 65535;
}

// An address, alone or with a port in one of the two forms that leave no doubt (IP-8): `192.0.2.1:80`, `[2001:db8::1]:80`.
std::optional<ip_address> parse_element(std::string_view text) noexcept
{
    if (text.front() == '[') {
        auto const close = text.find(']');
        if (close == std::string_view::npos) return std::nullopt;
        auto const inside = text.substr(1, close - 1);
        auto const behind = text.substr(close + 1);
        if (inside.find(':') == std::string_view::npos) return std::nullopt; // brackets are for IPv6
        if (!behind.empty() && (behind.front() != ':' || !is_port(behind.substr(1)))) return std::nullopt;
        return ip_address::parse(inside);
    }
    auto const colon = text.find(':');
    if (colon == std::string_view::npos || text.find(':', colon + 1) != std::string_view::npos) return ip_address::parse(text);
    if (!is_port(text.substr(colon + 1))) return std::nullopt;
    return ip_address::parse(text.substr(0, colon)); // one colon: an IPv4 address and its port
}

// The walk itself: from the right, through addresses that are trusted, to the first that is not.
class trust_walk {
public:
    trust_walk(client_settings const& settings, client_address& found) noexcept : settings_(settings), found_(found) {}

    // False when the client is found and nothing further to the left may be looked at.
    bool step_over_line(std::string_view line) noexcept
    {
        for (;;) {
            auto const comma = line.rfind(',');
            auto const element = base::trim_ows(comma == std::string_view::npos ? line : line.substr(comma + 1));
            if (!element.empty() && !step_over(element)) return false;
            if (comma == std::string_view::npos) return true;
            line = line.substr(0, comma);
        }
    }

private:
    bool step_over(std::string_view element) noexcept
    {
        auto const address = parse_element(element);
        if (!address) { // who reported it is the last that can be believed (IP-7)
            found_.rejected_element = true;
            return false;
        }
        found_.client = address;
        return is_trusted(settings_, *address);
    }

    client_settings const& settings_;
    client_address& found_;
};

} // namespace

client_address find_client(client_settings const& settings, std::optional<base::ip_address> const& peer,
                           std::span<base::field const> fields) noexcept
{
    client_address found{.client = peer};
    found.peer_trusted = peer ? is_trusted(settings, *peer) : !settings.trusted_proxies.empty();
    if (settings.source == address_source::peer || !found.peer_trusted) return found;

    trust_walk walk{settings, found};
    for (auto line = fields.rbegin(); line != fields.rend(); ++line)
        if (base::is_field(line->name, "x-forwarded-for") && !walk.step_over_line(line->value)) break;
    return found;
}

} // namespace penstock::partition
