// H1-20, H1-129: what is accepted as an authority has one spelling and nothing in it that could be read as something else.
#include "fuzz_targets.hpp"
#include "proxy/host_name.hpp"

#include <string>

namespace penstock::fuzz {

void host_name(std::string_view raw)
{
    std::string scratch;
    auto const authority = proxy::normalise_authority(raw, scratch);
    if (!authority) return;
    std::string const host{authority->host};
    require(!host.empty() && host.size() <= 253, "a host has a length");
    require(host.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-._[]:") == std::string::npos,
            "a host is lower case and plain");
    require(host.front() == '[' ? host.back() == ']' : host.find_first_of("[]:") == std::string::npos,
            "brackets and colons are for IPv6");
    require(host.back() != '.', "the trailing dot is gone");
    require(authority->port != 0, "no port is 0");

    std::string again;
    auto const second = proxy::normalise_authority(host, again);
    require(second && second->host == host && !second->port, "the normal form is a fixed point");
}

} // namespace penstock::fuzz
