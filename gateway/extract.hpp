// From a request's head to its facts: target and host in one spelling, the client's address. Credentials come later.
// Everything that could be read in two ways is refused here, before any limit or upstream sees it. Pure.
#pragma once

#include "base/request_facts.hpp"
#include "conf/settings.hpp"
#include "gateway/connected_peer.hpp"
#include "proxy/forwarding_fields.hpp"
#include "proxy/message_head.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace penstock::gateway {

enum class extract_problem : std::uint8_t {
    none,
    bad_host,
    bad_target,       // no form of target that RFC 9112 section 3.2 allows for this method
    bad_path,         // see `path`
    bad_max_forwards, // no number (RFC 9110 section 7.6.2)
};

struct extracted {
    base::request_facts facts;
    std::string_view authority; // as the client wrote it: what is forwarded as Host
    std::string_view raw_path;  // before normalisation
    proxy::peer_trust trust = proxy::peer_trust::untrusted;
    std::optional<unsigned> max_forwards; // of OPTIONS: as received
    bool asterisk = false;                // OPTIONS *
    bool rejected_element = false;        // no address stood where the client's was looked for (counted)
    std::string_view forwarded_proto;     // what the client's element of Forwarded says of its request, as received
    std::string_view forwarded_host;
    extract_problem problem = extract_problem::none;
    std::string_view why; // for people; a constant
};

// Strings that receive what must be spelled anew; views in the result may point into them.
struct extract_scratch {
    std::string& path;
    std::string& host;
};

extracted extract(proxy::request_head const& head, connected_peer const& peer, conf::settings const& settings,
                  extract_scratch scratch);

} // namespace penstock::gateway
