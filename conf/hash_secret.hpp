// The secret of keyed hashes: the fleet's, from the text that the configuration holds, or one that nobody knows. Pure, but for
// the drawing of the latter.
#pragma once

#include "partition/hash_secret.hpp"

#include <string_view>

namespace penstock::conf {

partition::hash_secret hash_secret_from(std::string_view text); // SHA-256 of the text

// Stands in where several gateways have to agree and none is configured: known to everybody, so it hides nothing from who can
// read the keys (check warns).
partition::hash_secret public_hash_secret();

// Where all counters live in this process: drawn once, so that a reload keeps the counts, and the digits in the log say nothing
// to anybody. Throws when the system has no random numbers.
partition::hash_secret process_hash_secret();

} // namespace penstock::conf
