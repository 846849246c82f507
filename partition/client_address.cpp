#include "partition/client_address.hpp"

#include "base/field_name.hpp"
#include "base/forwarded.hpp"
#include "partition/nat64.hpp"

#include <algorithm>

namespace penstock::partition {
namespace {

using base::ip_address;

// An address, alone or with a port in one of the two forms that leave no doubt (IP-8): `192.0.2.1:80`, `[2001:db8::1]:80`.
std::optional<ip_address> parse_element(std::string_view text) noexcept
{
    auto rest = text;
    auto const host = ip_address::take_host(rest);
    if (host && (rest.empty() || (rest.front() == ':' && base::is_port(rest.substr(1))))) return host;
    return ip_address::parse(text);
}

// One element of a chain: what somebody further to the right reported.
struct reported {
    std::optional<ip_address> address; // absent: it is none
    std::string_view proto;
    std::string_view host;
};

// Each cuts the last element that is not empty off a line.
struct x_forwarded_for_reader {
    static constexpr std::string_view field = "x-forwarded-for";

    static std::optional<reported> take_last(std::string_view& line) noexcept
    {
        while (!line.empty()) {
            auto begin = line.size(); // by hand: rfind takes twice as many instructions
            while (begin > 0 && line[begin - 1] != ',') --begin;
            auto const element = base::trim_ows(line.substr(begin));
            line = line.substr(0, begin == 0 ? 0 : begin - 1);
            if (!element.empty()) return reported{.address = parse_element(element), .proto = {}, .host = {}};
        }
        return std::nullopt;
    }
};

struct forwarded_reader {
    static constexpr std::string_view field = "forwarded";

    static std::optional<reported> take_last(std::string_view& line) noexcept
    {
        auto const element = base::take_last_element(line);
        if (!element) return std::nullopt;
        if (element->node.empty()) return reported{}; // malformed, or it does not say who
        return reported{.address = base::node_address(element->node), .proto = element->proto, .host = element->host};
    }
};

// The walk over a chain, from the right: through addresses that are trusted to the first that is not, or over as many
// elements as there are hops.
class trust_walk {
public:
    trust_walk(client_settings const& settings, client_address& found) noexcept : settings_(settings), found_(found) {}

    template <class Reader>
    void over(std::span<base::field const> fields) noexcept
    {
        for (auto line = fields.rbegin(); line != fields.rend(); ++line) {
            if (!base::is_field(line->name, Reader::field)) continue;
            auto rest = line->value;
            while (auto const element = Reader::take_last(rest))
                if (!step_over(*element)) return;
        }
        if (hops_ < settings_.trusted_hops) come_short();
    }

private:
    // False when the client is found and nothing further to the left may be looked at.
    bool step_over(reported const& element) noexcept
    {
        auto const decides = settings_.trusted_hops == 0 || ++hops_ == settings_.trusted_hops;
        if (!element.address) { // who reported it is the last that can be believed (IP-7)
            found_.rejected_element = found_.rejected_element || decides;
            return !decides;
        }
        found_.client = element.address;
        found_.proto = element.proto;
        found_.host = element.host;
        return settings_.trusted_hops == 0 ? is_among(settings_.trusted_proxies, *element.address) : !decides;
    }

    // Fewer hops than there should be: whoever connected left some out, and only that it connected is sure (IP-3).
    void come_short() noexcept { found_ = {.client = peer_, .peer_trusted = true, .rejected_element = true}; }

    client_settings const& settings_;
    client_address& found_;
    std::optional<ip_address> const peer_ = found_.client;
    unsigned hops_ = 0;
};

// The address in the only line of that name. Of several lines nobody could say which one the proxy wrote (IP-14).
void read_single_field(client_address& found, std::span<base::field const> fields, std::string_view lower) noexcept
{
    base::field const* only = nullptr;
    for (auto const& line : fields) {
        if (!base::is_field(line.name, lower)) continue;
        if (only != nullptr) {
            found.rejected_element = true;
            return;
        }
        only = &line;
    }
    if (only == nullptr) return;
    auto const value = base::trim_ows(only->value);
    auto const address = value.empty() ? std::nullopt : parse_element(value);
    if (address)
        found.client = address;
    else
        found.rejected_element = true;
}

} // namespace

bool is_among(std::span<base::ip_network const> networks, ip_address const& address) noexcept
{
    return std::any_of(networks.begin(), networks.end(), [&](auto const& network) { return network.contains(address); });
}

client_address find_client(client_settings const& settings, std::optional<base::ip_address> const& peer,
                           std::span<base::field const> fields) noexcept
{
    client_address found{.client = peer};
    found.peer_trusted = peer ? is_among(settings.trusted_proxies, *peer) : !settings.trusted_proxies.empty();
    if (found.peer_trusted) {
        switch (settings.source) {
        case address_source::peer: break;
        case address_source::x_forwarded_for: trust_walk{settings, found}.over<x_forwarded_for_reader>(fields); break;
        case address_source::forwarded: trust_walk{settings, found}.over<forwarded_reader>(fields); break;
        case address_source::single_field: read_single_field(found, fields, settings.field); break;
        }
    }
    // Only now: a proxy is trusted by the address that it has.
    if (settings.nat64 == nat64_form::ipv4 && found.client) found.client = embedded_v4(*found.client).value_or(*found.client);
    return found;
}

} // namespace penstock::partition
