// The one spelling of an authority (Host field, authority of a target): lower case, one trailing dot removed, addresses
// canonical, port split off (H1-20, H1-21, H1-129). Knows no default ports: only the caller knows the scheme. Pure.
// Called by gateway/extract, and by fields for X-Forwarded-Host.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace penstock::proxy {

struct authority {
    std::string_view host;             // a view into what was given, or into `scratch`
    std::optional<std::uint16_t> port; // 1..65535; absent if none was given
};

// Nothing if `raw` is no host with an optional port: empty, user information, blanks, commas, escapes, an empty label, a
// name that ends in a number but is no IPv4 address, a zone. Letters are ASCII (an internationalised name comes as its A-label).
// `scratch` is written only where the host has to be spelled anew: capitals, or IPv6, which keeps its brackets.
std::optional<authority> normalise_authority(std::string_view raw, std::string& scratch);

} // namespace penstock::proxy
