// IP-1..IP-10: nothing that a caller writes into X-Forwarded-For changes who it is.
#include "fuzz_targets.hpp"
#include "partition/client_address.hpp"

#include <string>
#include <vector>

namespace penstock::fuzz {
namespace {

using base::ip_address;

partition::client_settings trusting_private_networks()
{
    partition::client_settings settings;
    settings.source = partition::address_source::x_forwarded_for;
    settings.trusted_proxies = {*base::ip_network::parse("10.0.0.0/8"), *base::ip_network::parse("2001:db8:f::/48")};
    return settings;
}

partition::client_address found(partition::client_settings const& settings, std::string_view peer,
                                std::vector<std::string> const& lines)
{
    std::vector<base::field> fields;
    fields.reserve(lines.size());
    for (auto const& line : lines) fields.push_back({"X-Forwarded-For", line});
    return partition::find_client(settings, ip_address::parse(peer), fields);
}

} // namespace

void client_address(std::string_view text)
{
    static auto const settings = trusting_private_networks();
    std::vector<std::string> lines;
    std::string joined;
    while (!text.empty()) {
        lines.emplace_back(take_line(text));
        joined += (joined.empty() ? "" : ",") + lines.back();
    }
    auto const stranger = ip_address::parse("203.0.113.9");
    require(found(settings, "203.0.113.9", lines).client == stranger, "an untrusted peer is the client");

    auto const separate = found(settings, "10.0.0.1", lines);
    auto const together = found(settings, "10.0.0.1", {joined});
    require(separate.client == together.client && separate.rejected_element == together.rejected_element,
            "lines count like one list (IP-5)");
    require(separate.client.has_value(), "a peer with an address leaves nobody unnamed");
    if (separate.rejected_element) {
        bool trusted = false;
        for (auto const& network : settings.trusted_proxies) trusted = trusted || network.contains(*separate.client);
        require(trusted, "garbage falls back to a trusted hop (IP-7)");
    }
    require(ip_address::parse(separate.client->to_string()) == separate.client, "text and address are one");

    lines.emplace_back("203.0.113.9, 10.0.0.2");
    require(found(settings, "10.0.0.1", lines).client == stranger,
            "what stands to the left of the client is not believed (IP-4)");
}

} // namespace penstock::fuzz
