#include "conf/address.hpp"
#include "conf/check.hpp"
#include "conf/read.hpp"

namespace penstock::conf {

// RFC 6750 section 5.2: what proves who somebody is travels in clear text here.
void check_transport(checked const& all, problem_list& problems)
{
    if (!all.read.tokens && all.read.api_keys.from.empty()) return;
    if (!all.read.client.trusted_proxies.empty()) return; // one of them ends TLS
    std::string const what = all.read.tokens ? "tokens" : "API keys";
    auto const* listeners = all.root.find("listeners");
    for (std::size_t i = 0; listeners != nullptr && i < listeners->items.size(); ++i) {
        auto const* written = listeners->items[i].find("address");
        auto const address = parsed(written, parse_bind_address);
        if (!address || is_loopback(*address) || listeners->items[i].find("tls") != nullptr) continue;
        problems.warning(written->at, "listeners[" + std::to_string(i) + "].address",
                         "takes " + what +
                             " without TLS, so whoever listens on the way can use them (AK-45); end TLS in a proxy in "
                             "front of it and list that in client.trusted_proxies");
    }
}

} // namespace penstock::conf
