// The identity of a caller that a document names: the one that a request of this caller gets at run time, made by the same
// code from facts that say no more than the document does. Called by check_tiers and compile. Pure.
#pragma once

#include "conf/credential_source.hpp"
#include "partition/partition_key.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::conf {

// What is wrong with naming callers by `key` at all: it is the API key or another credential, of which no value belongs in a
// document, or the same for everybody. A key that is hashed only for its name, which may well be a harmless one, is good.
std::string problem_with_naming(partition::descriptor const& key, std::span<credential_source const> from);

// What is wrong with `caller` as a value of `key`, and what would be right; empty if nothing is. A caller is the value that it
// presents, of a claim ISSUER|VALUE; of a key of several entries their values joined by '|'. Never shows a value that may be a
// credential. `issuers`: whose tokens are accepted. Nothing has been found wrong with naming callers by `key`.
std::string problem_with_caller(partition::descriptor const& key, std::string_view caller,
                                std::vector<std::string> const& issuers);

// `{IDENTITY}`; nothing has been found wrong with `caller`.
std::string identity_of(partition::descriptor const& key, std::string_view caller, partition::hash_secret const& secret);

} // namespace penstock::conf
