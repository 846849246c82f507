#include "conf/check.hpp"

#include "conf/address.hpp"
#include "conf/read.hpp"
#include "conf/wide_network.hpp"

#include <algorithm>

namespace penstock::conf {

namespace {

using partition::address_source;

// What the source is called by those who send it; empty: the peer.
std::string field_of(partition::client_settings const& client)
{
    switch (client.source) {
    case address_source::peer: break;
    case address_source::x_forwarded_for: return "X-Forwarded-For";
    case address_source::forwarded: return "Forwarded";
    case address_source::single_field: return client.field;
    }
    return {};
}

void warn_of_everybody(node const* networks, std::string const& path, std::string const& means, problem_list& problems)
{
    auto const written = elements(networks);
    for (std::size_t i = 0; i < written.size(); ++i) {
        auto const network = parsed(written[i], parse_network);
        auto const element = networks->is_list() ? path + '[' + std::to_string(i) + ']' : path;
        if (network && is_wide(*network)) problems.warning(written[i]->at, element, means);
    }
}

void check_source(checked const& all, problem_list& problems)
{
    auto const& client = all.read.client;
    auto const* source = all.root.find("client.source");
    auto const* proxies = all.root.find("client.trusted_proxies");
    auto const nobody_is_trusted = proxies == nullptr || (proxies->is_list() && proxies->items.empty());
    if (client.source != address_source::peer && nobody_is_trusted) {
        problems.warning(source->at, "client.source",
                         "nobody is trusted, so " + field_of(client) +
                             " is never read; list the proxies in client.trusted_proxies");
    }
    warn_of_everybody(proxies, "client.trusted_proxies",
                      "trusts everybody, so any caller can name any address as its own; list the proxies' networks", problems);

    auto const* by = all.root.find("client.forwarded_by");
    if (by != nullptr && client.source != address_source::forwarded)
        problems.warning(by->at, "client.forwarded_by", "has no effect without client.source: forwarded");

    auto const* hops = all.root.find("client.trusted_hops");
    if (hops == nullptr) return;
    auto const is_chain = client.source == address_source::x_forwarded_for || client.source == address_source::forwarded;
    if (!is_chain)
        problems.error(hops->at, "client.trusted_hops",
                       "counts the elements of a chain; set client.source: x-forwarded-for or forwarded, or remove it");
    else if (nobody_is_trusted)
        problems.error(hops->at, "client.trusted_hops",
                       "believes whoever connects (IP-3); list in client.trusted_proxies who that may be");
}

void check_proxy_protocol(checked const& all, node const& listener, std::string const& path, problem_list& problems)
{
    auto const* protocol = listener.find("proxy_protocol");
    auto const* from = listener.find("proxy_protocol_from");
    auto const word = text_of(protocol);
    auto const is_on = word == "v1" || word == "v2" || word == "any";
    auto const address = parsed(listener.find("address"), parse_bind_address);
    auto const on_unix = address && !address->unix_path.empty();
    if (from != nullptr && !is_on)
        problems.warning(from->at, path + ".proxy_protocol_from", "has no effect without proxy_protocol: v1, v2 or any");
    else if (from != nullptr && on_unix)
        problems.warning(from->at, path + ".proxy_protocol_from",
                         "has no effect on a unix socket, where whoever may open it may send the header; remove it");
    if (is_on && from == nullptr && address && !on_unix && all.read.client.trusted_proxies.empty())
        problems.error(protocol->at, path + ".proxy_protocol",
                       "nobody may send the header, so every connection would be closed (IP-31); list the load balancers in "
                       "proxy_protocol_from or client.trusted_proxies");
    warn_of_everybody(from, path + ".proxy_protocol_from",
                      "believes everybody, so any caller can name any address as its own; list the load balancers' networks",
                      problems);
    if (!on_unix || is_on) return;
    auto const names_clients = all.read.client.source != address_source::peer && !all.read.client.trusted_proxies.empty();
    if (names_clients) return;
    problems.warning(listener.find("address")->at, path + ".address",
                     "callers on a unix socket have no address and count as one, 'unix' (IP-18); if a proxy connects here, set "
                     "client.source to the field in which it names them and client.trusted_proxies, or use proxy_protocol");
}

// Whoever has an IPv6 address has at least 2^64 of them.
void check_ipv6_prefix(checked const& all, problem_list& problems)
{
    auto const* prefix = all.root.find("client.ipv6_prefix");
    if (prefix == nullptr || all.read.client.ipv6_prefix <= 64) return;
    problems.warning(
        prefix->at, "client.ipv6_prefix",
        "a caller with a /64 of its own, the least there is, gets a new counter with each address; write 64 or less");
}

} // namespace

void check_client(checked const& all, problem_list& problems)
{
    check_source(all, problems);
    check_ipv6_prefix(all, problems);
    auto const* listeners = all.root.find("listeners");
    for (std::size_t i = 0; listeners != nullptr && i < listeners->items.size(); ++i)
        check_proxy_protocol(all, listeners->items[i], "listeners[" + std::to_string(i) + ']', problems);
}

} // namespace penstock::conf
