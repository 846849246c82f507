// SHA-256 digests of API keys, and which of them somebody has presented. Never holds a key. A digest is looked up under a hash
// that is keyed at random for each table, and compared in constant time, so that the time of a look-up says nothing about the
// digests (AK-12). Built from the configuration; immutable, thread safe. No I/O but the drawing of its hash key.
#pragma once

#include "base/stable_hash.hpp"
#include "partition/sha256.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace penstock::partition {

class digest_table {
public:
    digest_table() = default;
    explicit digest_table(std::span<sha256_digest const> digests); // of two alike the first counts

    // The place in the list that the table was made of.
    [[nodiscard]] std::optional<std::size_t> find(sha256_digest const& digest) const noexcept;
    [[nodiscard]] bool contains(sha256_digest const& digest) const noexcept { return find(digest).has_value(); }
    [[nodiscard]] bool empty() const noexcept { return slots_.empty(); }

private:
    struct slot {
        std::uint32_t number = 0; // of the digest, from 1; 0: free
        sha256_digest digest{};
    };
    [[nodiscard]] std::size_t home_of(sha256_digest const& digest) const noexcept;

    base::hash_key hash_key_;
    std::vector<slot> slots_; // a power of two, half of them free at least
};

} // namespace penstock::partition
