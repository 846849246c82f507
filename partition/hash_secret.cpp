#include "partition/hash_secret.hpp"

#include <string_view>

namespace penstock::partition {
namespace {

sha256::state behind_pad(hash_secret::bytes const& secret, char pad) noexcept
{
    std::array<char, sha256::block_size> padded;
    padded.fill(pad);
    for (std::size_t i = 0; i < secret.size(); ++i) padded[i] = static_cast<char>(secret[i] ^ pad);
    sha256 hash;
    hash.update({padded.data(), padded.size()});
    return hash.behind_blocks();
}

} // namespace

hash_secret::hash_secret(bytes const& secret) noexcept : inner_(behind_pad(secret, 0x36)), outer_(behind_pad(secret, 0x5C)) {}

} // namespace penstock::partition
