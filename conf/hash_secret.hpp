// The fleet's secret for keyed hashes, from the text that the configuration holds. Pure.
#pragma once

#include "partition/partition_key.hpp"

#include <string_view>

namespace penstock::conf {

partition::hash_secret hash_secret_from(std::string_view text); // SHA-256 of the text

// Stands in where none is configured: known to everybody, so it hides nothing from who can read the keys.
partition::hash_secret public_hash_secret();

} // namespace penstock::conf
