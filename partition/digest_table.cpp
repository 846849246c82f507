#include "partition/digest_table.hpp"

#include <openssl/rand.h>

#include <bit>
#include <cstring>
#include <stdexcept>

namespace penstock::partition {
namespace {

// In the same time wherever they differ.
bool equal(sha256_digest const& a, sha256_digest const& b) noexcept
{
    std::array<std::uint64_t, 4> x, y;
    std::memcpy(x.data(), a.data(), sizeof x);
    std::memcpy(y.data(), b.data(), sizeof y);
    return ((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3])) == 0;
}

} // namespace

digest_table::digest_table(std::span<sha256_digest const> digests)
{
    if (digests.empty()) return;
    if (RAND_bytes(reinterpret_cast<unsigned char*>(&hash_key_), sizeof hash_key_) != 1)
        throw std::runtime_error("the system has no random numbers to give");
    slots_.resize(std::bit_ceil(2 * digests.size()));
    for (std::size_t i = 0; i < digests.size(); ++i) {
        auto at = home_of(digests[i]);
        while (slots_[at].number != 0 && slots_[at].digest != digests[i]) at = (at + 1) % slots_.size();
        if (slots_[at].number == 0) slots_[at] = {static_cast<std::uint32_t>(i + 1), digests[i]};
    }
}

std::optional<std::size_t> digest_table::find(sha256_digest const& digest) const noexcept
{
    if (slots_.empty()) return std::nullopt;
    for (auto at = home_of(digest); slots_[at].number != 0; at = (at + 1) % slots_.size()) {
        if (equal(slots_[at].digest, digest)) return slots_[at].number - 1;
    }
    return std::nullopt;
}

std::size_t digest_table::home_of(sha256_digest const& digest) const noexcept
{
    return base::sip_hash<1, 3>(hash_key_, {reinterpret_cast<char const*>(digest.data()), digest.size()}) % slots_.size();
}

} // namespace penstock::partition
