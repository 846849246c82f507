// The parts `auth.api_keys` and `deny` of a document, and lists of addresses and digests, as far as they can be read. Called by
// read_settings, read_limit and outline. Pure.
#pragma once

#include "conf/document.hpp"
#include "conf/settings.hpp"

#include <string>
#include <vector>

namespace penstock::conf {

api_key_settings read_api_keys(node const& root);

// The WWW-Authenticate lines of a 401 for want of an API key: one for each scheme that a key may come by, in the order of
// `from`. `ApiKey` is no registered scheme; it stands also for headers, query and cookies (AK-9).
std::string challenges_of(api_key_settings const& keys);

// Of a list, or of a single value that stands for one; null has none.
std::vector<base::ip_network> read_networks(node const* written);
std::vector<partition::sha256_digest> read_digests(node const* written);

deny_list read_denials(node const* written); // null: nobody is denied

} // namespace penstock::conf
